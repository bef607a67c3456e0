import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseToken, type TokenCheck } from "../../cli/local/eks-token.ts";
import { type PresignRequest, presign } from "../../lib/aws/sigv4.ts";
import { mintToken, type TokenRequest } from "../../lib/cluster/eks.ts";

const credentials = { accessKeyId: "AKIDLOCAL", secretAccessKey: "local-secret" };
const at = new Date("2026-11-21T08:00:00Z");
const request: TokenRequest = { clusterName: "shop", region: "eu-central-1", credentials, at };
const check: TokenCheck = { clusterName: "shop", region: "eu-central-1", credentials, now: at };
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000);

const url: PresignRequest = {
  host: "sts.eu-central-1.amazonaws.com",
  region: "eu-central-1",
  service: "sts",
  query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
  headers: { "x-k8s-aws-id": "shop" },
  credentials,
  at,
  expiresIn: 60,
};
const tokenOf = (text: string) => `k8s-aws-v1.${Buffer.from(text).toString("base64url")}`;

test("a token is the prefix and the URL in base64url without padding", () => {
  const token = mintToken(request);
  assert.match(token, /^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
  assert.equal(Buffer.from(token.slice("k8s-aws-v1.".length), "base64url").toString(), presign(url));
});

test("a token is good for its cluster for 15 minutes, with a session token too", () => {
  assert.equal(refuseToken(mintToken(request), { ...check, now: later(14) }), undefined);
  const withSession = mintToken({ ...request, credentials: { ...credentials, sessionToken: "a+b/c==" } });
  assert.equal(refuseToken(withSession, check), undefined);
});

const forgeries: readonly (readonly [string, string, TokenCheck, RegExp])[] = [
  ["of another cluster", mintToken({ ...request, clusterName: "other" }), check, /X-Amz-Signature/],
  ["of another region", mintToken({ ...request, region: "us-east-1" }), check, /no https URL of sts\.eu-central-1/],
  [
    "of another key",
    mintToken({ ...request, credentials: { ...credentials, secretAccessKey: "guess" } }),
    check,
    /X-Amz-Signature/,
  ],
  [
    "of another identity",
    mintToken({ ...request, credentials: { ...credentials, accessKeyId: "AKIDOTHER" } }),
    check,
    /X-Amz-Credential/,
  ],
  ["that expired", mintToken(request), { ...check, now: later(16) }, /expired/],
  ["from the future", mintToken(request), { ...check, now: later(-6) }, /date/],
  ["with a long life", tokenOf(presign({ ...url, expiresIn: 3600 })), check, /900 seconds/],
  [
    "for another action",
    tokenOf(presign({ ...url, query: { Action: "AssumeRole", Version: "2011-06-15" } })),
    check,
    /another action/,
  ],
  ["with a parameter more", tokenOf(presign({ ...url, query: { ...url.query, Extra: "1" } })), check, /Extra is not allowed/],
  ["with a parameter twice", tokenOf(`${presign(url)}&Action=GetCallerIdentity`), check, /twice/],
  ["without the cluster's header", tokenOf(presign({ ...url, headers: {} })), check, /x-k8s-aws-id is not signed/],
  ["for another host", tokenOf(presign({ ...url, host: "sts.eu-central-1.amazonaws.com.evil.example" })), check, /no https URL/],
  ["with another host than was signed", tokenOf(presign(url).replace("sts.eu", "sts.us")), check, /no https URL/],
  ["over plain http", tokenOf(presign(url).replace("https:", "http:")), check, /no https URL/],
  ["in plain base64", `k8s-aws-v1.${Buffer.from("????>>>>").toString("base64")}`, check, /base64url/],
  ["with a character more", `${mintToken(request)}A`, check, /base64url|no https URL/],
  ["without the prefix", "eyJhbGciOi", check, /prefix/],
];

for (const [what, token, checked, reason] of forgeries) {
  test(`a token ${what} is refused`, () => assert.match(refuseToken(token, checked) ?? "accepted", reason));
}
