import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { stringifyJson } from "../../lib/model/json.ts";
import { configMap } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aPolicy } from "../support/objects.ts";

function configuration(...names: readonly string[]): string {
  const applications = names.map(
    (name) =>
      `  - { name: ${name}, path: app, cluster: local, namespace: ${name}, sync: { createNamespace: true, timeout: 5s } }\n`,
  );
  return `clusters: [{ name: local, context: admin }]\napplications:${names.length === 0 ? " []" : `\n${applications.join("")}`}\n`;
}

describe("what the cluster does not let go is not forgotten", () => {
  const name = "prune-refused";
  let journey: Journey;
  const exists = async (object: string) => (await journey.field(["configmap", name, object], ".metadata.name")) === object;
  const owned = async () =>
    (await journey.installation.stores.inventories.load(name))?.entries.map(({ ref }) => ref.name).toSorted();

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({
      "driftless.yaml": configuration(name),
      "app/a.yaml": configMap("a"),
      "app/b.yaml": configMap("b"),
      "app/c.yaml": configMap("c"),
    });
    assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", name);
    await journey.close();
  });

  test("a delete that a policy refuses fails the sync with its reason; the next sync without the policy prunes", async () => {
    const policy = aPolicy({ namespace: name, operation: "DELETE", resource: "configmaps" });
    await journey.push({ "policy.json": stringifyJson({ apiVersion: "v1", kind: "List", items: policy }) });
    const file = `${journey.folder}/policy.json`;
    await journey.kubectl("apply", "-f", file);
    await eventually("the policy is in force", async () =>
      journey.kubectl("delete", "configmap", "-n", name, "a", "--dry-run=server").then(
        () => false,
        () => true,
      ),
    );
    const commit = await journey.push({ "app/a.yaml": null });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.counts.pruned, sync.counts.failed], ["Failed", 0, 1]);
    assert.match(sync.errors[0] ?? "", /prune ConfigMap prune-refused\/a: .*not here/);
    assert.deepEqual([await exists("a"), await owned()], [true, ["a", "b", "c", name]]);

    await journey.kubectl("delete", "-f", file);
    await eventually("the policy is gone", () =>
      journey.kubectl("delete", "configmap", "-n", name, "a", "--dry-run=server").then(() => true),
    );
    const next = await journey.synced(name, await journey.push({ "app/c.yaml": configMap("c", { key: "changed" }) }));
    assert.deepEqual([next.phase, next.counts.pruned], ["Succeeded", 1]);
    assert.deepEqual([await exists("a"), await owned()], [false, ["b", "c", name]]);
  });

  test("a finalizer that does not end fails the sync at its deadline by name; the sweep goes on when it has ended", async () => {
    await journey.kubectl(
      "patch",
      "configmap",
      "-n",
      name,
      "b",
      "--type=merge",
      "-p",
      '{"metadata":{"finalizers":["shop.example/hold"]}}',
    );
    const commit = await journey.push({ "app/b.yaml": null });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.retryable], ["Failed", true]);
    assert.match(sync.errors[0] ?? "", /ConfigMap prune-refused\/b is still being deleted \(finalizers: shop\.example\/hold\)/);
    assert.deepEqual(await owned(), ["b", "c", name]);
    await journey.kubectl("patch", "configmap", "-n", name, "b", "--type=merge", "-p", '{"metadata":{"finalizers":null}}');
    await eventually("the sweep brings it to an end", async () => {
      await journey.sweep();
      return (await journey.state(name))?.lastSync?.phase === "Succeeded";
    });
    assert.deepEqual(await owned(), ["c", name]);
  });
});

describe("an application that left the configuration", () => {
  const [stays, goes] = ["prune-stays", "prune-goes"];
  let journey: Journey;
  const view = async (): Promise<Readonly<Record<string, unknown>> | undefined> => {
    const response = await fetch(`${journey.installation.url}/api/applications/${goes}`);
    return response.ok ? ((await response.json()) as Readonly<Record<string, unknown>>) : undefined;
  };

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({ "driftless.yaml": configuration(stays, goes), "app/a.yaml": configMap("a") });
    await Promise.all([journey.synced(stays, commit), journey.synced(goes, commit)]);
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", stays, goes);
    await journey.close();
  });

  test("is pruned, and its row says what was kept", async () => {
    await journey.push({ "driftless.yaml": configuration(stays) });
    const seen = await eventually("the sync is done", async () => {
      const state = await view();
      const last = (await journey.state(goes))?.lastSync;
      return state?.["removed"] === true && last?.snapshot === "" && last.phase === "Succeeded" ? view() : undefined;
    });
    assert.deepEqual([seen["sync"], seen["kept"]], ["Removed", [`Namespace ${goes}`]]);
    assert.equal(await journey.field(["configmap", goes, "a"], ".metadata.name"), "");
    assert.equal(await journey.field(["configmap", stays, "a"], ".metadata.name"), "a");
  });

  test("keeps its row through sweeps, which start nothing for it", async () => {
    const before = (await journey.syncs(goes)).length;
    await journey.sweep();
    const { restarted } = await journey.sweep();
    assert.deepEqual([restarted, (await journey.syncs(goes)).length], [[], before]);
    assert.ok(await journey.state(goes));
  });

  test("is forgotten by the sweep after what was kept is gone", async () => {
    await journey.kubectl("delete", "namespace", goes);
    await eventually("the row is gone", async () => {
      await journey.sweep();
      return (await journey.state(goes)) === undefined;
    });
    assert.equal(await view(), undefined);
    assert.equal(await journey.installation.stores.inventories.load(goes), undefined);
    assert.ok((await journey.syncs(goes)).length > 0, "its history stays");
  });

  test("may come back under its name, as new", async () => {
    const commit = await journey.push({ "driftless.yaml": configuration(stays, goes) });
    const sync = await journey.synced(goes, commit);
    assert.deepEqual([sync.phase, sync.counts.created], ["Succeeded", 2]);
    assert.equal((await view())?.["sync"], "Synced");
  });
});
