import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { explainRefusal, guardedApi } from "../../cli/aws/signed-request.ts";
import { type LoopbackServer, readBody, sendJson, startLoopback } from "../../cli/local/loopback.ts";
import { isSignedBy, type Signer } from "./aws/verify-signature.ts";
import { runDriftless } from "./run.ts";

const operator: Signer = {
  accessKeyId: "AKIDOPERATOR",
  secretAccessKey: "operator/key+with=odd",
  sessionToken: "session/token=",
  region: "eu-central-1",
  service: "execute-api",
};
const credentials = {
  AWS_ACCESS_KEY_ID: operator.accessKeyId,
  AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
  AWS_SESSION_TOKEN: operator.sessionToken ?? "",
};
const noProfile = { AWS_CONFIG_FILE: "/nowhere", AWS_SHARED_CREDENTIALS_FILE: "/nowhere", AWS_EC2_METADATA_DISABLED: "true" };

suite("the API behind IAM authorization", () => {
  let server: LoopbackServer;
  /** What the gateway says in place of its usual refusal. */
  let refusal: { readonly message: string; readonly date?: string } = { message: "Forbidden" };
  const paths: string[] = [];

  before(async () => {
    server = await startLoopback(async (request, response) => {
      const body = (await readBody(request, 65_536)) ?? Buffer.alloc(0);
      paths.push(`${request.method} ${request.url}`);
      if (!isSignedBy(operator, request, body)) {
        const { message, date } = refusal;
        return sendJson(response, 403, { message }, date === undefined ? {} : { date });
      }
      if (request.method === "POST")
        return sendJson(response, 202, { outcome: "done", application: "shop", message: JSON.parse(body.toString()).reason });
      return sendJson(response, 200, { items: [] });
    });
  });
  after(() => server.close());

  const ask = (args: readonly string[], environment: Readonly<Record<string, string>>) =>
    runDriftless([...args, "--api", `${server.url}/api`], { environment: { ...noProfile, ...environment } });

  test("requests are signed with the operator's credentials for the region that is named", async () => {
    const region = { ...credentials, DRIFTLESS_API_REGION: "eu-central-1" };
    assert.deepEqual(await ask(["history", "shop", "--limit", "7"], region), {
      status: 0,
      stdout: "no syncs of shop\n",
      stderr: "",
    });
    assert.equal((await ask(["drift", "--manager", "kubectl-edit é", "--region", "eu-central-1"], credentials)).status, 0);
    assert.match(paths.at(-1) ?? "", /manager=kubectl-edit/);
  });

  test("what is sent is signed too", async () => {
    const args = ["suspend", "shop", "--reason", "freeze: 100% ü", "--region", "eu-central-1"];
    assert.deepEqual(await ask(args, credentials), { status: 0, stdout: "shop: freeze: 100% ü\n", stderr: "" });
  });

  test("a profile of AWS_PROFILE is used", async () => {
    const folder = await mkdtemp(join(tmpdir(), "driftless-profile-"));
    try {
      const file = join(folder, "credentials");
      const lines = [
        "[ops]",
        `aws_access_key_id = ${operator.accessKeyId}`,
        `aws_secret_access_key = ${operator.secretAccessKey}`,
        `aws_session_token = ${operator.sessionToken}`,
      ];
      await writeFile(file, lines.join("\n"));
      const environment = { AWS_PROFILE: "ops", AWS_SHARED_CREDENTIALS_FILE: file };
      assert.equal((await ask(["history", "shop", "--region", "eu-central-1"], environment)).status, 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("without credentials nothing is sent, and what to do is said", async () => {
    const asked = paths.length;
    const { status, stdout, stderr } = await ask(["status", "--region", "eu-central-1"], {});
    assert.deepEqual([status, stdout, paths.length], [1, "", asked]);
    assert.match(stderr, /^driftless: there are no AWS credentials: .*; sign in \(`aws sso login`.*AWS_PROFILE\n$/);
  });

  test("credentials of somebody else are told which right they lack, and are not printed", async () => {
    const { status, stderr } = await ask(["status", "--region", "eu-central-1"], {
      ...credentials,
      AWS_SECRET_ACCESS_KEY: "another",
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /their policy needs execute-api:Invoke on arn:aws:execute-api:eu-central-1:ACCOUNT:API\/\*\/GET\/api\/applications /,
    );
    assert.doesNotMatch(stderr, /another|AKID|session\/token/);
  });

  test("a request that should have been signed says how", async () => {
    const { status, stderr } = await ask(["status"], credentials);
    assert.equal(status, 1);
    assert.match(stderr, /refuses requests that are not signed: .*--region or DRIFTLESS_API_REGION\n$/);
  });

  test("expired credentials, and a clock that is wrong, are told apart from a missing right", async () => {
    const other = { ...credentials, AWS_SECRET_ACCESS_KEY: "another" };
    refusal = { message: "The security token included in the request is expired" };
    assert.match((await ask(["status", "--region", "eu-central-1"], other)).stderr, /the AWS credentials expired; sign in/);
    refusal = { message: "Forbidden", date: "Sat, 01 Jan 2033 00:00:00 GMT" };
    assert.match((await ask(["status", "--region", "eu-central-1"], other)).stderr, /clock is \d+ minutes behind: set it right/);
    refusal = { message: "Forbidden" };
  });
});

suite("which API is signed for", () => {
  const regionOf = (url: string, region?: string) => guardedApi(new URL(url), region)?.region;

  test("the host name of an HTTP API says its region; any other name needs one to be given", () => {
    assert.equal(regionOf("https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/api"), "eu-central-1");
    assert.equal(regionOf("https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/api"), "cn-north-1");
    assert.equal(regionOf("https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/api", "us-east-1"), "eu-central-1");
    assert.equal(regionOf("https://driftless.acme.example/api"), undefined);
    assert.equal(regionOf("https://driftless.acme.example/api", "eu-west-1"), "eu-west-1");
    assert.equal(regionOf("https://execute-api.eu-central-1.amazonaws.com.evil.example/api"), undefined);
  });

  test("the resource of a missing right names the API where its host does", () => {
    const text = explainRefusal({
      url: new URL("https://a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com/api/applications/shop/sync"),
      method: "POST",
      api: { region: "us-gov-west-1" },
      message: "Forbidden",
      date: "",
      now: new Date("2026-11-21T12:00:00Z"),
    });
    assert.ok(
      text.includes("on arn:aws-us-gov:execute-api:us-gov-west-1:ACCOUNT:a1b2c3d4e5/*/POST/api/applications/shop/sync "),
      text,
    );
  });
});
