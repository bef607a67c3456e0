import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Environment, parseEnvironment } from "../../lib/config/environment.ts";
import { DriftlessError } from "../../lib/errors.ts";

function refusal(name: keyof Environment, env: Record<string, string>): string {
  try {
    void parseEnvironment(env)[name];
  } catch (error) {
    assert.ok(error instanceof DriftlessError);
    assert.equal(error.code, "config");
    return error.message;
  }
  return assert.fail("the value was accepted");
}

suite("the environment", () => {
  test("every variable that is set is read as it stands", () => {
    const env = parseEnvironment({
      DRIFTLESS_TABLE: "driftless",
      DRIFTLESS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/revisions.fifo",
      DRIFTLESS_WEBHOOK_SECRET_ID: "driftless/webhook",
      DRIFTLESS_SNAPSHOT_KEY_ID: "driftless/snapshots",
      DRIFTLESS_GITHUB_SECRET_ID: "driftless/github",
      DRIFTLESS_SOPS_AGE_SECRET_ID: "driftless/sops-age",
      DRIFTLESS_GITHUB_API_URL: "https://ghe.example/api/v3",
      DRIFTLESS_CONFIG_REPOSITORY: "https://github.com/acme/platform",
      DRIFTLESS_CONFIG_BRANCH: "live",
      DRIFTLESS_CONFIG_PATH: "gitops/driftless.yaml",
      DRIFTLESS_RENDER_HELPER: "/opt/bin/render-helper",
      DRIFTLESS_SYNC_FUNCTION: "driftless-sync:live",
      DRIFTLESS_SWEEP_FUNCTION: "driftless-sweep",
      DRIFTLESS_SWEEP_IN_PLACE: "false",
      DRIFTLESS_PLAN_ASKS_CLUSTERS: "false",
      DRIFTLESS_PREVIEW_FUNCTION: "driftless-preview",
      DRIFTLESS_IDENTITIES: "arn:aws:iam::111122223333:role/driftless-sync,driftless",
      DRIFTLESS_SYNC_ROLE: "arn:aws:iam::111122223333:role/driftless-sync",
      KUBECONFIG: "/home/me/.kube/config",
      AWS_REGION: "eu-central-1",
      DRIFTLESS_LOG_LEVEL: "debug",
      DRIFTLESS_EVENT_BUS: "platform",
      DRIFTLESS_SWEEP_INTERVAL: "2m",
    });
    const { stsEndpoint, ...rest } = env;
    assert.equal(stsEndpoint("eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
    assert.deepEqual(
      { ...rest },
      {
        table: "driftless",
        tableEndpoint: "https://dynamodb.eu-central-1.amazonaws.com",
        queueUrl: "https://sqs.eu-central-1.amazonaws.com/123456789012/revisions.fifo",
        webhookSecretId: "driftless/webhook",
        snapshotKeyId: "driftless/snapshots",
        githubSecretId: "driftless/github",
        chartsSecretId: undefined,
        sopsAgeSecretId: "driftless/sops-age",
        githubApiUrl: "https://ghe.example/api/v3",
        configRepository: "https://github.com/acme/platform",
        configBranch: "live",
        configPath: "gitops/driftless.yaml",
        renderHelper: "/opt/bin/render-helper",
        syncFunction: "driftless-sync:live",
        sweepFunction: "driftless-sweep",
        sweepInPlace: false,
        planAsksClusters: false,
        previewFunction: "driftless-preview",
        identities: ["arn:aws:iam::111122223333:role/driftless-sync", "driftless"],
        syncRole: "arn:aws:iam::111122223333:role/driftless-sync",
        kubeconfig: "/home/me/.kube/config",
        region: "eu-central-1",
        logLevel: "debug",
        eventBus: "platform",
        eventsEndpoint: "https://events.eu-central-1.amazonaws.com",
        sweepInterval: 120,
      },
    );
  });

  test("what may be left out has a default", () => {
    const env = parseEnvironment({ DRIFTLESS_CONFIG_BRANCH: "", KUBECONFIG: "" });
    assert.equal(env.configBranch, "main");
    assert.equal(env.configPath, "driftless.yaml");
    assert.equal(env.logLevel, "info");
    assert.equal(env.eventBus, "default");
    assert.equal(env.sweepInterval, 300);
    assert.equal(env.kubeconfig, undefined);
    assert.equal(env.syncRole, undefined);
    assert.equal(env.githubSecretId, undefined);
    assert.equal(env.githubApiUrl, "https://api.github.com");
  });

  test("the table is where the clients of AWS look for it", () => {
    const endpoint = (env: Record<string, string>) => parseEnvironment({ AWS_REGION: "eu-central-1", ...env }).tableEndpoint;
    assert.equal(endpoint({ AWS_REGION: "cn-north-1" }), "https://dynamodb.cn-north-1.amazonaws.com.cn");
    assert.equal(endpoint({ AWS_USE_FIPS_ENDPOINT: "true" }), "https://dynamodb-fips.eu-central-1.amazonaws.com");
    assert.equal(endpoint({ AWS_ENDPOINT_URL: "http://127.0.0.1:1" }), "http://127.0.0.1:1");
    const both = { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:2" };
    assert.equal(endpoint(both), "http://127.0.0.1:2");
    assert.equal(
      refusal("tableEndpoint", { AWS_REGION: "eu-central-1", AWS_ENDPOINT_URL_DYNAMODB: "127.0.0.1:2" }),
      "AWS_ENDPOINT_URL_DYNAMODB (where DynamoDB is) must be an http(s) URL without user, path, ? or #",
    );
  });

  test("identities stand with commas between them, and none is nobody", () => {
    const arn = "arn:aws:iam::111122223333:role/driftless-prod-SyncRole-1A2B";
    assert.deepEqual(parseEnvironment({ DRIFTLESS_IDENTITIES: `${arn}, driftless` }).identities, [arn, "driftless"]);
    for (const none of [{}, { DRIFTLESS_IDENTITIES: "" }, { DRIFTLESS_IDENTITIES: " ," }])
      assert.deepEqual(parseEnvironment(none).identities, []);
  });

  test("a function misses only the variables that it reads, and is told which and what for", () => {
    const env = parseEnvironment({ DRIFTLESS_TABLE: "driftless" });
    assert.equal(env.table, "driftless");
    assert.equal(
      refusal("queueUrl", {}),
      "DRIFTLESS_QUEUE_URL is not set: set it to the URL of the FIFO queue of moved branches",
    );
    assert.equal(
      refusal("table", { DRIFTLESS_TABLE: "" }),
      "DRIFTLESS_TABLE is not set: set it to the name of the DynamoDB table",
    );
    for (const name of ["webhookSecretId", "snapshotKeyId", "configRepository", "syncFunction", "region"] as const) {
      assert.match(refusal(name, {}), /^[A-Z_]+ is not set: set it to the /);
    }
  });

  test("a value of the wrong shape is refused by the variable's name, and not repeated", () => {
    assert.equal(
      refusal("queueUrl", { DRIFTLESS_QUEUE_URL: "https://me:hunter2@x/revisions" }),
      "DRIFTLESS_QUEUE_URL (the URL of the FIFO queue of moved branches) must be an http(s) URL that ends in .fifo",
    );
    assert.equal(
      refusal("logLevel", { DRIFTLESS_LOG_LEVEL: "loud" }),
      "DRIFTLESS_LOG_LEVEL (the least level that is logged) must be debug, info, warn or error",
    );
    for (const url of [
      "http://ghe.example/api/v3",
      "https://me:hunter2@ghe.example",
      "https://ghe.example/api?v=3",
      "ghe.example",
    ]) {
      assert.equal(
        refusal("githubApiUrl", { DRIFTLESS_GITHUB_API_URL: url }),
        "DRIFTLESS_GITHUB_API_URL (the base URL of GitHub's API) must be an https URL without user, ? or #; plain http is for this machine only",
      );
    }
    for (const url of ["http://127.0.0.1:8080/api/v3", "http://[::1]:1", "https://api.acme.ghe.com"]) {
      assert.equal(parseEnvironment({ DRIFTLESS_GITHUB_API_URL: url }).githubApiUrl, url);
    }
    for (const path of ["/etc/driftless.yaml", "../driftless.yaml", "a/../b", "folder/", "a\\b"]) {
      assert.match(
        refusal("configPath", { DRIFTLESS_CONFIG_PATH: path }),
        /^DRIFTLESS_CONFIG_PATH .* must be a file inside the repository/,
      );
    }
  });

  test("where clusters are opened is told by `true` or `false`, and by nothing else", () => {
    const { sweepInPlace, planAsksClusters } = parseEnvironment({});
    assert.deepEqual([sweepInPlace, planAsksClusters], [true, true]);
    const told = parseEnvironment({ DRIFTLESS_SWEEP_IN_PLACE: "false", DRIFTLESS_PLAN_ASKS_CLUSTERS: "false" });
    assert.deepEqual([told.sweepInPlace, told.planAsksClusters], [false, false]);
    assert.match(refusal("sweepInPlace", { DRIFTLESS_SWEEP_IN_PLACE: "no" }), /must be true or false$/);
  });
});
