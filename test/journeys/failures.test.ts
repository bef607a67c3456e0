import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { configMap, service } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const prefix = "fail";

interface Settings {
  readonly context?: string;
  readonly createNamespace?: boolean;
}

/** One application of plain files under `app/`. */
function plain(name: string, { context = "admin", createNamespace = true }: Settings = {}): string {
  return `clusters:
  - { name: here, context: ${context} }
applications:
  - name: ${name}
    path: app
    cluster: here
    namespace: ${name}
    sync: { createNamespace: ${createNamespace}, timeout: 20s }
`;
}

describe("a failed sync says what and where, applies the rest, and prunes nothing", () => {
  const name = `${prefix}-plain`;
  let journey: Journey;
  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({
      "driftless.yaml": plain(name),
      "app/one.yaml": configMap("one"),
      "app/web.yaml": service("web"),
    });
    assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
  });
  after(() => journey.close());

  const exists = async (kind: string, object: string): Promise<boolean> =>
    (await journey.field([kind, name, object], ".metadata.name")) === object;

  test("YAML that is none: file and line, nothing is changed", async () => {
    const commit = await journey.push({
      "app/one.yaml": null,
      "app/two.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n bad: 1\n",
    });
    const sync = await journey.synced(name, commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /^app\/two\.yaml:[45]: /);
    assert.ok(await exists("configmap", "one"));
    const delivery = await eventually("the delivery is judged", async () =>
      (await journey.installation.stores.deliveries.list()).items.find(
        (row) => row.after === commit && !["received", "queued"].includes(row.state),
      ),
    );
    assert.equal(delivery.state, "failed");
    assert.match(delivery.reason, /two\.yaml/);
    assert.match((await journey.state(name))?.planError ?? "", /two\.yaml/);
  });

  test("a kind that the cluster does not serve: the rest is applied, what left is kept", async () => {
    const widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: w }\n";
    const commit = await journey.push({ "app/two.yaml": configMap("two"), "app/widget.yaml": widget });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.counts.created, sync.counts.failed, sync.counts.pruned], ["Failed", 1, 1, 0]);
    assert.match(sync.errors[0] ?? "", /Widget .*w: the cluster serves no kind Widget in example\.com\/v1/);
    assert.ok((await exists("configmap", "two")) && (await exists("configmap", "one")));
  });

  test("a namespace that is not there: the rest is applied, what left is kept", async () => {
    const elsewhere = configMap("three").replace("name: three", "name: three, namespace: fail-nowhere");
    const commit = await journey.push({
      "app/widget.yaml": null,
      "app/three.yaml": elsewhere,
      "app/four.yaml": configMap("four"),
    });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.counts.created, sync.counts.failed], ["Failed", 1, 1]);
    assert.match(sync.errors[0] ?? "", /ConfigMap fail-nowhere\/three: .*namespaces? "fail-nowhere" not found/);
    assert.ok((await exists("configmap", "four")) && (await exists("configmap", "one")));
  });

  test("a field that the kind does not have: the object is named, and the field", async () => {
    const commit = await journey.push({ "app/three.yaml": null, "app/web.yaml": service("web").replace("ports:", "prots:") });
    const sync = await journey.synced(name, commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /Service fail-plain\/web: .*prots/);
  });

  test("a value of a Secret is in no row, no log line and no error", async () => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: token }\nstringData: { password: 12345678 }\n";
    const commit = await journey.push({ "app/web.yaml": service("web"), "app/secret.yaml": secret });
    const sync = await journey.synced(name, commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /Secret fail-plain\/token/);
    const rows = JSON.stringify([await journey.syncs(name), await journey.state(name), journey.events]);
    assert.ok(!rows.includes("12345678"));
  });

  test("the next good push recovers, and prunes what left", async () => {
    const commit = await journey.push({ "app/secret.yaml": null });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.health.status], ["Succeeded", "Healthy"]);
    assert.ok(!(await exists("configmap", "one")));
    assert.ok((await exists("configmap", "two")) && (await exists("service", "web")));
  });
});

describe("an identity without all rights", () => {
  const name = `${prefix}-rbac`;
  let journey: Journey;
  before(async () => {
    journey = await startJourney();
    await journey.kubectl("create", "namespace", name);
    await journey.kubectl("create", "clusterrole", name, "--verb=*", "--resource=configmaps");
    await journey.kubectl("create", "clusterrolebinding", name, `--clusterrole=${name}`, "--user=limited");
  });
  after(async () => {
    await journey.kubectl("delete", "clusterrolebinding,clusterrole", name);
    await journey.close();
  });

  test("what it may not do fails by name, what it may do is applied", async () => {
    const commit = await journey.push({
      "driftless.yaml": plain(name, { context: "limited", createNamespace: false }),
      "app/one.yaml": configMap("one"),
      "app/web.yaml": service("web"),
    });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.counts.created, sync.counts.failed], ["Failed", 1, 1]);
    assert.match(sync.errors[0] ?? "", /Service fail-rbac\/web: .*forbidden.*limited.*services/s);
    assert.equal(await journey.field(["configmap", name, "one"], ".metadata.name"), "one");
  });

  test("more rights and the next push recover", async () => {
    await journey.kubectl("create", "clusterrolebinding", `${name}-edit`, "--clusterrole=cluster-admin", "--user=limited");
    const commit = await journey.push({ "app/one.yaml": configMap("one", { key: "changed" }) });
    assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
    assert.equal(await journey.field(["service", name, "web"], ".metadata.name"), "web");
    await journey.kubectl("delete", "clusterrolebinding", `${name}-edit`);
  });
});

describe("an API server that is away", () => {
  const name = `${prefix}-away`;
  let controlPlane: ControlPlane;
  let journey: Journey;
  before(async () => {
    controlPlane = await startControlPlane();
    journey = await startJourney({ controlPlane });
    const commit = await journey.push({
      "driftless.yaml": plain(name),
      "app/one.yaml": configMap("one"),
      "app/two.yaml": configMap("two"),
    });
    await journey.synced(name, commit);
  });
  after(async () => {
    await journey.close();
    await controlPlane.stop();
  });

  test("is a failed sync that names it; nothing is pruned; the sweep syncs when it is back", async (context) => {
    if (controlPlane.stopApiServer === undefined || controlPlane.startApiServer === undefined)
      return context.skip("the given cluster cannot be stopped");
    await controlPlane.stopApiServer();
    const commit = await journey.push({ "app/one.yaml": null, "app/three.yaml": configMap("three") });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.counts.pruned, sync.retryable], ["Failed", 0, true]);
    assert.match(sync.errors[0] ?? "", /127\.0\.0\.1:\d+/);
    const { reports } = await journey.sweep();
    assert.match(reports[0]?.errors[0] ?? "", /127\.0\.0\.1/);
    await controlPlane.startApiServer();
    await eventually("a sweep brings it to the head", async () => {
      await journey.sweep();
      return (await journey.state(name))?.lastSync?.phase === "Succeeded";
    });
    assert.equal(await journey.field(["configmap", name, "three"], ".metadata.name"), "three");
    assert.equal(await journey.field(["configmap", name, "one"], ".metadata.name"), "");
    assert.equal(await journey.field(["configmap", name, "two"], ".metadata.name"), "two");
  });

  test("and the next push is synced as ever", async () => {
    const commit = await journey.push({ "app/four.yaml": configMap("four") });
    assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
  });
});
