import assert from "node:assert/strict";
import { test } from "node:test";
import { type PresignRequest, presign, signPost, signRequest } from "../../lib/aws/sigv4.ts";

const request: PresignRequest = {
  host: "sts.eu-central-1.amazonaws.com",
  region: "eu-central-1",
  service: "sts",
  query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
  headers: { "x-k8s-aws-id": "shop (prod)" },
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  at: new Date("2026-11-21T08:15:40.123Z"),
  expiresIn: 60,
};

// Expected values: SignatureV4.presign of @smithy/signature-v4 5.7.5 with the same input.
test("a presigned URL is the one that the AWS SDK's signer makes", () => {
  assert.equal(
    presign(request),
    "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
      "&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-central-1%2Fsts%2Faws4_request&X-Amz-Date=20261121T081540Z&X-Amz-Expires=60" +
      "&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id" +
      "&X-Amz-Signature=7742dd79c80a1a34f6c94b10fbb5664e7eb78a326d959518ffdbe0c2872e1f30",
  );
});

test("a session token is signed, and encoded as AWS does", () => {
  const url = presign({ ...request, credentials: { ...request.credentials, sessionToken: "session/token+with=odd(chars)*" } });
  assert.match(url, /&X-Amz-Security-Token=session%2Ftoken%2Bwith%3Dodd%28chars%29%2A&/);
  assert.match(url, /&X-Amz-Signature=2b16c3a64ca3a34613756964f4e27270fdca2c495e58f59c9647b40d2f0e23f8$/);
});

// Expected values: SignatureV4.sign of @smithy/signature-v4 5.7.5 with the same input.
test("a request is signed as the AWS SDK's signer signs it", () => {
  const post = {
    region: "eu-central-1",
    host: "api.ecr.eu-central-1.amazonaws.com",
    service: "ecr",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    },
    body: "{}",
    at: request.at,
    credentials: request.credentials,
  };
  assert.equal(
    signPost(post).authorization.reveal(),
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/ecr/aws4_request," +
      " SignedHeaders=content-type;host;x-amz-date;x-amz-target," +
      " Signature=60b83ad39f6d2f90b0a68cda4c47c587761fb2c2c4e259afb37722ceabe21431",
  );
  const session = { ...request.credentials, sessionToken: "session/token+with=odd(chars)*" };
  const signed = signPost({ ...post, credentials: session });
  assert.match(signed.authorization.reveal(), /Signature=a85c1058f9e606bc06fb944c02853d4cd1c77dc4000808b345b03b415542eb12$/);
  assert.equal(signed.headers["x-amz-security-token"], "session/token+with=odd(chars)*");
});

// Expected value: SignatureV4.sign of @smithy/signature-v4 5.7.5 with the same input.
test("path and query of a request are signed as the AWS SDK's signer signs them", () => {
  const signed = signRequest({
    method: "GET",
    path: "/api/clusters/eu%20west/sweeps",
    query: [
      ["limit", "20"],
      ["from", "a+b=c/d"],
    ],
    body: "",
    host: "a1b2.execute-api.eu-central-1.amazonaws.com",
    region: "eu-central-1",
    service: "execute-api",
    headers: {},
    at: request.at,
    credentials: { ...request.credentials, sessionToken: "session/token+with=odd(chars)*" },
  });
  assert.match(signed.authorization.reveal(), /Signature=c3c1f10919e7c50640e18aaf6b3ce5dae05e363ba6901cf0f1c6c36af7a63222$/);
});
