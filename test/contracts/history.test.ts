import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { anApplication, aRead, aSweep, aSync } from "./rows.ts";
import { overEachTable } from "./tables.ts";

overEachTable("history", (table) => {
  test("a run has one row, which says how it ended", async () => {
    const { syncs } = table.stores;
    await syncs.put(aSync());
    const done = aSync({ phase: "Failed", finishedAt: "2025-03-01T11:59:09.000Z", errors: ["Deployment shop/web: forbidden"] });
    await syncs.put(done);
    assert.deepEqual(await syncs.list("shop"), { items: [done] });
  });

  test("the history of an application is its own, newest first, in pages, for ninety days", async () => {
    const { syncs } = table.stores;
    const starts = ["2025-02-27", "2024-12-02", "2025-03-01", "2024-11-30", "2025-01-15"];
    for (const day of starts) await syncs.put(aSync({ application: "till", id: day, startedAt: `${day}T00:00:00.000Z` }));
    await syncs.put(aSync({ application: "other" }));
    const first = await syncs.list("till", { limit: 2 });
    assert.deepEqual(
      first.items.map((sync) => sync.id),
      ["2025-03-01", "2025-02-27"],
    );
    const second = await syncs.list("till", { limit: 2, from: first.next! });
    assert.deepEqual(
      second.items.map((sync) => sync.id),
      ["2025-01-15", "2024-12-02"],
    );
    assert.equal(second.next, undefined);
  });

  test("two runs that start in one millisecond are two rows", async () => {
    const { syncs } = table.stores;
    await syncs.put(aSync({ application: "twins", id: "a" }));
    await syncs.put(aSync({ application: "twins", id: "b" }));
    const first = await syncs.list("twins", { limit: 1 });
    const second = await syncs.list("twins", { limit: 1, from: first.next! });
    assert.deepEqual([first.items[0]?.id, second.items[0]?.id, second.next], ["b", "a", undefined]);
  });

  test("sweeps are listed by cluster for thirty days", async () => {
    const { sweeps } = table.stores;
    await sweeps.put(aSweep());
    await sweeps.put(aSweep({ id: "old", startedAt: "2025-01-29T00:00:00.000Z" }));
    await sweeps.put(aSweep({ id: "far", cluster: "us" }));
    assert.deepEqual(await sweeps.list("eu"), { items: [aSweep()] });
  });

  test("the head of a branch is one head by every name of its repository", async () => {
    const { heads } = table.stores;
    assert.equal(await heads.get("https://github.com/acme/shop.git", "main"), undefined);
    await heads.put("https://github.com/acme/shop.git", "main", "c1");
    await heads.put("git@github.com:Acme/shop", "feature/a#b", "c2");
    await heads.put("git@github.com:Acme/shop", "main", "c3");
    assert.equal(await heads.get("https://github.com/acme/shop.git", "main"), "c3");
    assert.equal(await heads.get("https://github.com/acme/shop.git", "feature/a#b"), "c2");
  });

  test("the index of a branch counts while its head names it, and not longer", async () => {
    const { heads } = table.stores;
    const at = { repository: "https://github.com/acme/indexed.git", branch: "main" };
    const inputs = { shop: { paths: ["shop/", "shop/one.yaml"], digest: "d1", cluster: "" } };
    assert.equal(await heads.index(at.repository, at.branch), undefined);
    const id = await heads.saveIndex(at, { configuration: 3, inputs });
    assert.ok(id);
    assert.equal(await heads.index(at.repository, at.branch), undefined);
    await heads.put(at.repository, at.branch, "c1", { index: id });
    assert.deepEqual(await heads.index("git@github.com:Acme/Indexed", "main"), { id, configuration: 3, inputs });
    await heads.put(at.repository, at.branch, "");
    assert.equal(await heads.index(at.repository, at.branch), undefined);
    await heads.put(at.repository, at.branch, "c2", { index: id });
    await heads.saveIndex(at, { configuration: 3, inputs: {} });
    assert.equal(await heads.index(at.repository, at.branch), undefined);
  });

  test("an index that one row has no room for is not kept", async () => {
    const names = Array.from({ length: 20_000 }, (_, n) => `${n}-${"x".repeat(24)}`);
    const inputs = Object.fromEntries(
      names.map((name) => [name, { paths: [`${name}/`], digest: createHash("sha256").update(name).digest("hex"), cluster: "" }]),
    );
    const at = { repository: "https://github.com/acme/large", branch: "main" };
    assert.equal(await table.stores.heads.saveIndex(at, { configuration: 1, inputs }), undefined);
  });

  test("the last eight renders of one question are kept, the newest first", async () => {
    const { renders } = table.stores;
    assert.deepEqual(await renders.load("question"), []);
    const render = (snapshot: string) => ({ snapshot, inputs: aRead({ "a.yaml": "a1" }), objects: 1, warnings: [], release: "" });
    const all = ["9", "8", "7", "6", "5", "4", "3", "2", "1"].map(render);
    await renders.save("question", all);
    assert.deepEqual(await renders.load("question"), all.slice(0, 8));
  });

  test("the configuration is the one saved last, a thousand applications too", async () => {
    const { configuration } = table.stores;
    assert.equal(await configuration.load(), undefined);
    const applications = Array.from({ length: 1000 }, (_, n) => anApplication({ name: `shop-${n}` }));
    const stored = {
      configuration: {
        clusters: [{ name: "eu", kind: "kubeconfig", labels: {}, context: "kind" }],
        projects: [],
        healthCheckExprs: [{ apiVersion: "example.com/v1", kind: "Database", current: "status.ready" }],
        applications,
        remoteBases: ["https://github.com/acme/"],
        repositories: [{ url: "https://github.com/acme/shop", id: 42 }],
      },
      revision: "r",
      oid: "o",
      number: 3,
    } as const;
    await configuration.save({ ...stored, revision: "older" });
    await configuration.save(stored);
    assert.deepEqual(await configuration.load(), stored);
  });
});
