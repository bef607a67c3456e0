import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { createSweepLate } from "../../../lib/sync/sweep/sweep-late.ts";
import { lastSweeps } from "../../../lib/sync/sweep-age.ts";
import { aSweep } from "../../contracts/rows.ts";
import { type Bench, openBench } from "./opened-stores.ts";

describe("a late sweep", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
    await bench.stores.sweeps.put(aSweep({ cluster: "eu", startedAt: "2025-03-01T11:40:00.000Z", id: "old" }));
  });

  const begin = (clusters: readonly string[], sweepInterval?: number) =>
    createSweepLate({ ...bench, ...(sweepInterval === undefined ? {} : { sweepInterval }) })({ id: "sweep-2", clusters }, {});

  test("that begins more than two intervals after the one before it is logged, published and measured, with how long", async () => {
    bench.set("2025-03-01T11:50:01.000Z");
    await begin(["eu"]);
    assert.deepEqual(bench.published, ["SweepLate"]);
    const [{ time: _time, ...line } = {}] = bench.lines;
    assert.deepEqual(line, {
      level: "warn",
      event: "sweep.late",
      sweep: "sweep-2",
      clusters: ["eu"],
      lastSweepAt: "2025-03-01T11:40:00.000Z",
      ageSeconds: 601,
      intervalSeconds: 300,
    });
    assert.deepEqual(bench.measured, [{ cluster: "eu", values: { SweepAge: 601 } }]);
  });

  test("is none at two intervals, and none in a cluster that was never swept", async () => {
    bench.set("2025-03-01T11:50:00.000Z");
    await begin(["eu", "new"]);
    assert.deepEqual([bench.published, bench.lines], [[], []]);
    assert.deepEqual(bench.measured, [
      { cluster: "eu", values: { SweepAge: 600 } },
      { cluster: "new", values: { SweepAge: 0 } },
    ]);
  });

  test("is told by the sweep before it, though its own report is written already", async () => {
    await bench.stores.sweeps.put(aSweep({ cluster: "eu", startedAt: "2025-03-01T11:50:01.000Z", id: "sweep-2" }));
    bench.set("2025-03-01T11:50:02.000Z");
    await begin(["eu"]);
    assert.deepEqual(bench.measured, [{ cluster: "eu", values: { SweepAge: 602 } }]);
  });

  test("is measured by the interval of the schedule", async () => {
    bench.set("2025-03-01T11:50:01.000Z");
    await begin(["eu"], 600);
    assert.deepEqual(bench.published, []);
  });

  test("of several clusters is one event, that of the oldest", async () => {
    await bench.stores.sweeps.put(aSweep({ cluster: "us", startedAt: "2025-03-01T11:00:00.000Z" }));
    bench.set("2025-03-01T12:00:00.000Z");
    await begin(["eu", "us"]);
    assert.deepEqual(bench.published, ["SweepLate"]);
    assert.deepEqual([bench.lines[0]?.["clusters"], bench.lines[0]?.["ageSeconds"]], [["us", "eu"], 3600]);
  });

  test("an installation without clusters is measured too, or its alarm would sound", async () => {
    await begin([]);
    assert.deepEqual(bench.measured, [{ values: { SweepAge: 0 } }]);
  });

  test("who asks is told when each cluster was last swept", async () => {
    const now = new Date("2025-03-01T11:57:00.000Z");
    assert.deepEqual(await lastSweeps(bench.stores, { clusters: ["eu", "new"], now, interval: 300 }), [
      { cluster: "eu", at: "2025-03-01T11:40:00.000Z", age: 1020, late: true },
      { cluster: "new", at: "", age: 0, late: false },
    ]);
  });
});
