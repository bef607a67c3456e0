import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SyncPreview } from "../../lib/model/plan.ts";
import { runDriftless } from "../cli/run.ts";
import { configMap } from "../support/guestbook.ts";
import { type Journey, startJourney } from "../support/journey.ts";
import { told } from "../sync/preview/previewing.ts";

const secret = (value: string) => `apiVersion: v1
kind: Secret
metadata: { name: login }
stringData: { password: ${value} }
`;

describe("a plan is asked for over the API", () => {
  const name = "plan-shop";
  let journey: Journey;
  let first: string;
  const get = (path: string) => fetch(`${journey.installation.url}/api/applications/${path}`);
  const preview = async (query = "") => (await get(`${name}/plan${query}`).then((answer) => answer.json())) as SyncPreview;
  const run = (...args: readonly string[]) =>
    runDriftless(["plan", ...args], { environment: { DRIFTLESS_API: `${journey.installation.url}/api` } });

  before(async () => {
    journey = await startJourney();
    first = await journey.push({
      "driftless.yaml": `clusters: [{ name: local, context: admin }]
applications:
  - { name: ${name}, path: app, cluster: local, namespace: ${name}, sync: { createNamespace: true } }
`,
      "app/settings.yaml": configMap("settings", { level: "info" }),
      "app/old.yaml": configMap("old"),
      "app/login.yaml": secret("CANARY-first"),
    });
    assert.equal((await journey.synced(name, first)).phase, "Succeeded");
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", name);
    await journey.close();
  });

  test("what is synced has an empty plan, and the command ends well", async () => {
    const { changes, unchanged, revision, hash } = await preview();
    assert.deepEqual([changes, unchanged, revision], [[], 4, first]);
    assert.deepEqual(await run(name), {
      status: 0,
      stderr: "",
      stdout: `${name} in local at ${first.slice(0, 7)}\n\n0 to create, 0 to change, 0 to delete, 4 unchanged\nHash ${hash}\n`,
    });
  });

  test("a branch that nobody follows is planned, and neither the cluster nor the application is touched", async () => {
    const level = await journey.field(["configmap", name, "settings"], ".metadata.resourceVersion");
    const before = await journey.state(name);
    const commit = await journey.push(
      {
        "app/settings.yaml": configMap("settings", { level: "debug" }),
        "app/more.yaml": configMap("more"),
        "app/old.yaml": null,
        "app/login.yaml": secret("CANARY-second"),
      },
      "feature",
    );
    const expected = [
      "create ConfigMap more: 1 key",
      "change ConfigMap settings",
      '  data.level: "info" -> "debug"',
      "change Secret login",
      '  data.password: "[secret]" -> "[secret, changed]"',
      "delete ConfigMap old",
    ];
    const byCommit = await preview(`?revision=${commit}`);
    assert.deepEqual([told(byCommit.changes).toSorted(), byCommit.unchanged], [expected.toSorted(), 1]);
    const { status, stdout } = await run(name, "--revision", "feature");
    assert.equal(status, 0);
    assert.match(stdout, /\n {13}data\.level: info -> debug\n/);
    assert.match(stdout, /\n1 to create, 2 to change, 1 to delete, 1 unchanged\n/);
    assert.ok(!stdout.includes("CANARY") && !stdout.includes(Buffer.from("CANARY").toString("base64").slice(0, 8)));
    assert.equal(await journey.field(["configmap", name, "settings"], ".metadata.resourceVersion"), level);
    assert.equal(await journey.field(["configmap", name, "more"], ".metadata.name"), "");
    assert.deepEqual(await journey.state(name), before);
  });

  test("what the API server would refuse ends the command with status 1, and its reason", async () => {
    const broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: Not-A-Name }\ndata: { key: value }\n";
    await journey.push({ "app/broken.yaml": broken }, "broken");
    const { status, stdout } = await run(name, "--revision", "broken");
    assert.equal(status, 1);
    assert.match(stdout, /\nx refused {2}ConfigMap plan-shop\/Not-A-Name: .*lowercase/);
  });

  test("what is not there is said with its status", async () => {
    assert.deepEqual([(await get("nobody/plan")).status, (await get(`${name}/plan?revision=nowhere`)).status], [404, 404]);
    const { status, stderr } = await run(name, "--revision", "nowhere");
    assert.equal(status, 1);
    assert.match(stderr, /has no branch nowhere/);
  });
});
