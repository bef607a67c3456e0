import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type LocalSts, startSts } from "../../cli/local/sts.ts";
import { type PresignRequest, presign } from "../../lib/aws/sigv4.ts";
import { mintToken, type TokenRequest } from "../../lib/cluster/eks.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { callApi } from "../control-plane/api.ts";
import { startControlPlane } from "../control-plane/control-plane.ts";
import { type EksVerifier, startEksVerifier } from "./eks-verifying.ts";

const region = "eu-central-1";
const arn = "arn:aws:sts::111122223333:assumed-role/driftless-prod-sync/driftless-prod-sync";
const credentials = { accessKeyId: "ASIALOCAL", secretAccessKey: "local-secret", sessionToken: "local/session+token==" };

describe("the verifier of aws-iam-authenticator", () => {
  let sts: LocalSts;
  let verifier: EksVerifier;

  before(async () => {
    sts = await startSts({ region, users: [{ arn, credentials }], roles: [] });
    verifier = await startEksVerifier({ sts: sts.endpoint });
  });
  after(async () => {
    await verifier?.close();
    await sts?.close();
  });

  /** The ARN that it found, or its reason. */
  async function verified(token: string, clusterName = "shop"): Promise<string> {
    const body = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } });
    const response = await fetch(verifier.tokenReviewUrl(clusterName), { method: "POST", body });
    const { status } = (await response.json()) as {
      status: { authenticated: boolean; error?: string; user?: { username: string } };
    };
    return status.authenticated ? `accepted: ${status.user?.username}` : (status.error ?? "");
  }

  const now = () => systemClock.now();
  const ago = (minutes: number) => new Date(now().getTime() - minutes * 60_000);
  const token = (overrides: Partial<TokenRequest> = {}) =>
    mintToken({ clusterName: "shop", region, credentials, at: now(), ...overrides });
  const encoded = (text: string) => `k8s-aws-v1.${Buffer.from(text).toString("base64url")}`;
  const url = (overrides: Partial<PresignRequest> = {}) =>
    presign({
      host: `sts.${region}.amazonaws.com`,
      region,
      service: "sts",
      query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
      headers: { "x-k8s-aws-id": "shop" },
      credentials,
      at: now(),
      expiresIn: 60,
      ...overrides,
    });

  test("takes a token that was signed here, and knows the role and its session by it", async () => {
    assert.equal(await verified(token()), `accepted: ${arn}`);
  });

  test("takes a token for fourteen minutes, and no longer than fifteen", async () => {
    assert.equal(await verified(token({ at: ago(14) })), `accepted: ${arn}`);
    assert.match(await verified(token({ at: ago(16) })), /X-Amz-Date parameter is expired \(15 minute expiration\)/);
  });

  test("refuses a token of another cluster, since STS does", async () => {
    assert.match(await verified(token(), "bank"), /expected 200, got 403/);
    assert.match(await verified(token({ clusterName: "bank" })), /expected 200, got 403/);
    assert.equal(await verified(token({ clusterName: "bank" }), "bank"), `accepted: ${arn}`);
  });

  test("refuses a token of credentials that are not known, or guessed", async () => {
    assert.match(await verified(token({ credentials: { ...credentials, accessKeyId: "ASIAOTHER" } })), /got 403/);
    assert.match(await verified(token({ credentials: { ...credentials, secretAccessKey: "guess" } })), /got 403/);
    assert.match(await verified(token({ credentials: { ...credentials, sessionToken: "other" } })), /got 403/);
  });

  const forgeries: readonly (readonly [string, () => string, RegExp])[] = [
    ["without the signed header of the cluster", () => encoded(url({ headers: {} })), /did not sign the x-k8s-aws-id header/],
    ["for another host", () => encoded(url({ host: "sts.evil.example" })), /unexpected hostname "sts\.evil\.example"/],
    ["for the host of another service", () => encoded(url({ host: `eks.${region}.amazonaws.com` })), /unexpected hostname/],
    [
      "for another action",
      () => encoded(url({ query: { Action: "AssumeRole", Version: "2011-06-15" } })),
      /unexpected action parameter/,
    ],
    ["with a parameter more", () => encoded(`${url()}&Extra=1`), /non-whitelisted query parameter "Extra"/],
    ["with a parameter in another case", () => encoded(`${url()}&action=GetCallerIdentity`), /duplicate query parameter/],
    ["with a parameter twice", () => encoded(`${url()}&Version=2011-06-15`), /multiple values not supported/],
    ["with a long life", () => encoded(url({ expiresIn: 3600 })), /invalid X-Amz-Expires parameter/],
    ["with another path", () => encoded(url().replace(".com/?", ".com/a?")), /unexpected path/],
    ["over plain http", () => encoded(url().replace("https:", "http:")), /unexpected scheme "http"/],
    ["with a later date than was signed", () => encoded(url({ at: ago(20) }).replace(/X-Amz-Date=\d+T\d+Z/, dated())), /got 403/],
    ["without the prefix", () => token().slice(1), /missing expected "k8s-aws-v1\." prefix/],
    ["with padding", () => `${token()}=`, /illegal base64 data/],
  ];
  const dated = () =>
    `X-Amz-Date=${now()
      .toISOString()
      .replace(/[:-]|\.\d{3}/g, "")}`;

  for (const [what, forged, reason] of forgeries) {
    test(`refuses a token ${what}`, async () => assert.match(await verified(forged()), reason));
  }

  test("lets an API server in whose webhook it is, and nobody else", async (t) => {
    const controlPlane = await startControlPlane({ authenticationWebhook: { url: verifier.tokenReviewUrl("shop") }, nodes: 0 });
    t.after(() => controlPlane.stop());
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const whoami = async (bearer: string) => {
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const { server, ca } = controlPlane;
      const { status, text } = await callApi({ server, ca, token: bearer }, path, { method: "POST", body });
      return status === 201
        ? (JSON.parse(text) as { status: { userInfo: { username: string } } }).status.userInfo.username
        : status;
    };
    assert.equal(await whoami(token()), arn);
    assert.equal(await whoami(token({ clusterName: "bank" })), 401);
    assert.equal(await whoami(token({ at: ago(16) })), 401);
    assert.equal(await whoami(encoded(url({ headers: {} }))), 401);
  });
});
