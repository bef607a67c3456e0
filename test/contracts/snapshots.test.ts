import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { aConfigMap } from "./rows.ts";
import { overEachTable } from "./tables.ts";

overEachTable("snapshots", (table) => {
  for (const count of [0, 1, 4, 5_000]) {
    test(`a snapshot of ${count} objects is loaded as it was saved`, async () => {
      const { snapshots } = table.stores;
      const objects = Array.from({ length: count }, (_, n) => aConfigMap(`map-${n}`, `${Math.imul(n, 0x9e3779b1)}`.repeat(20)));
      assert.deepEqual(await snapshots.load(await snapshots.save(objects)), objects);
    });
  }

  test("integers beyond a double's reach, line breaks and every plane of Unicode come back", async () => {
    const { snapshots } = table.stores;
    const object = {
      ...aConfigMap("odd", "a\nb\r\u2028\u0000 é 中 😀"),
      spec: { limit: 9007199254740993n, ratio: 0.1 },
    } as Manifest;
    assert.deepEqual(await snapshots.load(await snapshots.save([object])), [object]);
  });

  test("equal manifests have one id whatever the order of their keys, and another order of objects another", async () => {
    const { snapshots } = table.stores;
    const [a, b] = [aConfigMap("a"), aConfigMap("b")];
    const turned = { metadata: { namespace: "shop", name: "a" }, data: { text: "v" }, kind: "ConfigMap", apiVersion: "v1" };
    const id = await snapshots.save([a, b]);
    assert.equal(await snapshots.save([turned, b]), id);
    assert.notEqual(await snapshots.save([b, a]), id);
    assert.match(id, /^[0-9a-f]{64}$/);
  });

  test("a snapshot that is not there is not found, and never an empty list", async () => {
    await assert.rejects(table.stores.snapshots.load("0".repeat(64)), (error) => isDriftlessError(error, "not-found"));
  });

  test("twenty savers of one large snapshot leave one that can be read", async () => {
    const { snapshots } = table.storesWith({ partBytes: 200 });
    const objects = Array.from({ length: 60 }, (_, n) => aConfigMap(`many-${n}`, `${Math.imul(n + 7, 0x9e3779b1)}`));
    const ids = await Promise.all(Array.from({ length: 20 }, () => snapshots.save(objects)));
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(await snapshots.load(ids[0]!), objects);
  });
});
