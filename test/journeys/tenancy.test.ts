import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { configMap } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const prefix = "tenancy";
const [a, b] = [`${prefix}-a`, `${prefix}-b`];

/** Two teams in one cluster, where Driftless itself may do nothing but act for them. */
const platform = `clusters:
  - { name: here, context: limited }
projects:
${[a, b]
  .map(
    (name) => `  - name: ${name}
    sourceRepos: ["*"]
    destinations: [{ cluster: here, namespace: ${name} }]
    identity: impersonate
`,
  )
  .join("")}applications:
${[a, b].map((name) => `  - { name: ${name}, project: ${name}, path: ${name}, cluster: here, namespace: ${name} }\n`).join("")}`;

describe("two teams in one cluster, each with rights in its own namespace alone", () => {
  let journey: Journey;
  const rbac = [prefix, "--resource=users", "--resource=groups"];

  before(async () => {
    journey = await startJourney();
    const names = [a, b].flatMap((name) => [`driftless:${name}`, `driftless:project:${name}`]);
    await journey.kubectl(
      "create",
      "clusterrole",
      ...rbac,
      "--verb=impersonate",
      ...names.map((name) => `--resource-name=${name}`),
    );
    await journey.kubectl("create", "clusterrolebinding", prefix, `--clusterrole=${prefix}`, "--user=limited");
    for (const name of [a, b]) {
      await journey.kubectl("create", "namespace", name);
      await journey.kubectl(
        "create",
        "rolebinding",
        "team",
        "-n",
        name,
        "--clusterrole=edit",
        `--group=driftless:project:${name}`,
      );
    }
  });
  after(async () => {
    await journey.kubectl("delete", "clusterrolebinding,clusterrole", prefix);
    await journey.close();
  });

  const valueIn = (namespace: string): Promise<string> => journey.field(["configmap", namespace, "own"], ".data.key");

  test("each is synced by a run of its own, as itself", async () => {
    const commit = await journey.push({
      "driftless.yaml": platform,
      [`${a}/own.yaml`]: configMap("own", { key: "1" }),
      [`${b}/own.yaml`]: configMap("own", { key: "1" }),
    });
    for (const name of [a, b]) {
      const sync = await journey.synced(name, commit);
      assert.deepEqual([sync.phase, sync.errors], ["Succeeded", []]);
    }
    assert.deepEqual([await valueIn(a), await valueIn(b)], ["1", "1"]);
    const started = journey.events.filter(({ event }) => event === "plan.started");
    assert.equal(started.length, 2);
  });

  test("a team's object for the other's namespace is refused, and nothing of the commit is applied", async () => {
    const stolen = configMap("own", { key: "stolen" }).replace("name: own", `name: own, namespace: ${b}`);
    const commit = await journey.push({ [`${a}/theirs.yaml`]: stolen, [`${a}/own.yaml`]: configMap("own", { key: "2" }) });
    const state = await eventually("it is refused", async () => {
      const known = await journey.state(a);
      return known?.plannedRevision === commit && known.planError !== "" ? known : undefined;
    });
    assert.match(state.planError, new RegExp(`project ${a} does not allow the namespace ${b}`));
    assert.deepEqual([await valueIn(a), await valueIn(b)], ["1", "1"]);
    await journey.push({ [`${a}/theirs.yaml`]: null, [`${a}/own.yaml`]: configMap("own", { key: "1" }) });
    await eventually("it is planned again", async () => (await journey.state(a))?.planError === "");
  });

  test("drift of both is found by one sweep, and healed by each as itself", async () => {
    for (const name of [a, b]) await journey.kubectl("patch", "configmap", "own", "-n", name, "-p", '{"data":{"key":"edited"}}');
    const { reports } = await journey.sweep();
    assert.deepEqual([reports.length, reports[0]?.errors], [1, []]);
    assert.deepEqual([...(reports[0]?.healing ?? [])].sort(), [a, b]);
    for (const name of [a, b]) await eventually(`${name} is healed`, async () => (await valueIn(name)) === "1");
    await eventually("both runs are over", async () =>
      (await Promise.all([a, b].map((name) => journey.state(name)))).every((state) => state?.lastSync?.phase === "Succeeded"),
    );
  });

  test("a right that is missing is named before anything is written, and the command that the row tells grants it", async () => {
    const quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: small\nspec:\n  hard: { pods: 10 }\n";
    const commit = await journey.push({ [`${a}/quota.yaml`]: quota, [`${a}/own.yaml`]: configMap("own", { key: "3" }) });
    const sync = await journey.synced(a, commit);
    assert.equal(sync.phase, "Failed");
    const [error = ""] = sync.errors;
    assert.match(error, new RegExp(`user driftless:${a} may not create resourcequotas; patch resourcequotas in namespace ${a}`));
    assert.equal(await valueIn(a), "1");
    const commands = error.slice(error.indexOf("kubectl ")).split(" && ");
    assert.equal(commands.length, 2);
    for (const command of commands) await journey.kubectl(...command.split(" ").slice(1));
    await eventually("a sweep starts it again", async () => {
      await journey.sweep();
      return (await journey.state(a))?.lastSync?.phase === "Succeeded";
    });
    assert.equal(await valueIn(a), "3");
    assert.equal(await journey.field(["resourcequota", a, "small"], ".metadata.name"), "small");
  });

  test("what a team leaves behind that left the configuration with its project is pruned as that team", async () => {
    const alone = platform.split(`  - name: ${b}\n`)[0] ?? "";
    const commit = await journey.push({
      "driftless.yaml": `${alone}applications:\n  - { name: ${a}, project: ${a}, path: ${a}, cluster: here, namespace: ${a} }\n`,
      [`${a}/own.yaml`]: configMap("own", { key: "4" }),
    });
    assert.equal((await journey.synced(a, commit)).phase, "Succeeded");
    await eventually("its application is gone", async () => (await journey.state(b)) === undefined);
    assert.deepEqual([await valueIn(a), await valueIn(b)], ["4", ""]);
    const [last] = await journey.syncs(b);
    assert.deepEqual([last?.phase, last?.counts.pruned], ["Succeeded", 1]);
  });
});
