import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { DriftRow } from "../../../lib/model/drift.ts";
import type { Manifest } from "../../../lib/model/resource.ts";
import type { ApplicationState, SyncTrigger } from "../../../lib/model/sync.ts";
import { createHealedRows } from "../../../lib/sync/batch/healed-rows.ts";
import type { Work } from "../../../lib/sync/batch/progress.ts";
import { anApplication, aRow, aState, aSync } from "../../contracts/rows.ts";
import { type Bench, openBench } from "../sweep/opened-stores.ts";

const deployment = (name: string, annotations: Readonly<Record<string, string>> = {}): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, annotations },
});
const rowOf = (name: string, change: Partial<DriftRow> = {}): DriftRow => aRow({ ref: { ...aRow().ref, name }, ...change });

describe("what a sync that succeeded has put right", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });

  interface Run {
    readonly rows: readonly DriftRow[];
    readonly trigger?: SyncTrigger;
    readonly objects?: readonly Manifest[];
    readonly change?: Partial<ApplicationState["definition"]>;
    readonly removed?: boolean;
  }

  async function healed({ rows, trigger = "heal", objects = [], change = {}, removed = false }: Run): Promise<readonly string[]> {
    for (const row of rows) await bench.stores.drift.record(row);
    const snapshot = removed ? "" : await bench.stores.snapshots.save(objects);
    const row = aSync({ trigger, phase: "Succeeded", finishedAt: "2025-03-01T12:00:05.000Z" });
    const additions = rows.filter(({ kind }) => kind === "addition").length;
    const known = aState({ definition: anApplication(change), drifted: rows.length - additions, additions });
    const work = { desired: { ...known.desired, snapshot }, removed } as unknown as Work;
    const closed = await createHealedRows(bench)({ row, work, known });
    const open = (await bench.stores.drift.open("shop")).map(({ ref }) => ref.name);
    assert.deepEqual(
      closed.filter(({ ref }) => open.includes(ref.name)),
      [],
    );
    return closed.map(({ ref }) => ref.name).toSorted();
  }

  test("is closed in its rows, published and measured", async () => {
    assert.deepEqual(await healed({ rows: [rowOf("web")], trigger: "push" }), ["web"]);
    const [row] = await bench.stores.drift.healedSince("shop", "2025-03-01T00:00:00.000Z");
    assert.deepEqual([row?.healedBy, row?.healedAt], ["run-1", "2025-03-01T12:00:05.000Z"]);
    assert.deepEqual(bench.published, ["DriftHealed shop"]);
    assert.deepEqual(bench.measured, [
      { cluster: "eu", values: { DriftHealed: 1 } },
      { cluster: "eu", application: "shop", values: { DriftHealed: 1 } },
    ]);
  });

  test("is, for a push, all that had drifted, but no additions and no orphans", async () => {
    const fight = { managers: ["driftless", "hpa"], reverts: 4 };
    const rows = [rowOf("web", { fight }), rowOf("gone", { kind: "missing", field: "" })];
    const others = [rowOf("extra", { kind: "addition" }), rowOf("stray", { kind: "orphan", field: "" })];
    assert.deepEqual(await healed({ rows: [...rows, ...others], trigger: "push" }), ["gone", "web"]);
  });

  test("is, for a heal, nothing that is in a fight, and nothing that its annotation has only reported", async () => {
    const fight = { managers: ["driftless", "hpa"], reverts: 4 };
    const rows = [rowOf("web"), rowOf("api", { fight }), rowOf("told")];
    const objects = [deployment("web"), deployment("api"), deployment("told", { "driftless.dev/drift": "report" })];
    assert.deepEqual(await healed({ rows, objects }), ["web"]);
  });

  test("is, for a heal of an application that only reports, what an annotation has healed", async () => {
    const objects = [deployment("web", { "driftless.dev/drift": "heal" }), deployment("api")];
    assert.deepEqual(await healed({ rows: [rowOf("web"), rowOf("api")], objects, change: { drift: "report" } }), ["web"]);
  });

  test("is an addition too where additions are drift", async () => {
    const rows = [rowOf("web", { kind: "addition", field: "data.extra" })];
    const objects = [deployment("web")];
    assert.deepEqual(await healed({ rows, objects }), []);
    assert.deepEqual(await healed({ rows, objects, change: { additions: "drift" } }), ["web"]);
  });

  test("is everything of an application that was removed, of which nobody is told", async () => {
    assert.deepEqual(await healed({ rows: [rowOf("web"), rowOf("x", { kind: "addition" })], removed: true }), ["web", "x"]);
    assert.deepEqual(bench.published, []);
  });

  test("nothing is read where nothing had drifted", async () => {
    const none = { drift: { open: () => Promise.reject(new Error("read")) } } as never;
    const request = { row: aSync(), work: {} as Work, known: aState() };
    assert.deepEqual(await createHealedRows({ stores: none })(request), []);
  });
});
