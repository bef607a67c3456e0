import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { DriftRow } from "../../../lib/model/drift.ts";
import { createFights } from "../../../lib/sync/sweep/sweep-fights.ts";
import { aRow } from "../../contracts/rows.ts";
import { type Bench, openBench } from "./opened-stores.ts";

describe("fights", () => {
  let bench: Bench;
  let fightsOf: ReturnType<typeof createFights>;
  beforeEach(async () => {
    bench = await openBench();
    fightsOf = createFights(bench);
  });

  const seenAt = (row: DriftRow): DriftRow => {
    const now = bench.clock.now().toISOString();
    return { ...row, firstSeen: now, lastSeen: now };
  };

  /** A sweep that finds the row, and heals it unless it is in a fight; true when it was. */
  async function sweep(row: DriftRow, healedBy = "run-1"): Promise<DriftRow["fight"]> {
    const [told] = await fightsOf("shop", [seenAt(row)], { correlationId: "sweep-1" });
    assert.ok(told);
    await bench.stores.drift.record(told);
    if (told.fight === undefined) await bench.stores.drift.heal([told], { at: bench.clock.now().toISOString(), by: healedBy });
    return told.fight;
  }

  async function sweepEvery(
    minutes: number,
    times: number,
    row: DriftRow = aRow(),
  ): Promise<readonly (DriftRow["fight"] | undefined)[]> {
    const found: (DriftRow["fight"] | undefined)[] = [];
    for (let time = 0; time < times; time += 1) {
      if (time > 0) bench.advance(minutes);
      found.push(await sweep(row));
    }
    return found;
  }

  test("a field that was reverted more than three times within an hour is no longer healed, and both managers are named", async () => {
    const fights = await sweepEvery(5, 5);
    assert.deepEqual(fights, [
      undefined,
      undefined,
      undefined,
      undefined,
      { managers: ["driftless", "kubectl-scale"], reverts: 4 },
    ]);
  });

  test("the alarm is given once, not at each sweep: event, log line, row", async () => {
    await sweepEvery(5, 9);
    assert.deepEqual(bench.published, ["DriftFight shop"]);
    assert.deepEqual(
      bench.lines.map(({ event, level, application, ref, field, managers, reverts }) => ({
        event,
        level,
        application,
        ref,
        field,
        managers,
        reverts,
      })),
      [
        {
          event: "sweep.fight",
          level: "warn",
          application: "shop",
          ref: "Deployment shop/web",
          field: "spec.replicas",
          managers: ["driftless", "kubectl-scale"],
          reverts: 4,
        },
      ],
    );
    const [open] = await bench.stores.drift.open("shop");
    assert.deepEqual(open?.fight, { managers: ["driftless", "kubectl-scale"], reverts: 4 });
  });

  test("healing resumes by itself when the hour has passed", async () => {
    await sweepEvery(5, 5);
    bench.set("2025-03-01T12:59:59.000Z");
    assert.equal((await sweep(aRow()))?.reverts, 4);
    bench.set("2025-03-01T13:00:00.000Z");
    assert.equal(await sweep(aRow()), undefined);
  });

  test("the hour slides, and its next alarm is not before an hour has passed", async () => {
    const alarms: string[] = [];
    for (let minute = 0; minute <= 180; minute += 5) {
      const before = bench.published.length;
      await sweep(aRow());
      if (bench.published.length > before) alarms.push(bench.clock.now().toISOString().slice(11, 16));
      bench.advance(5);
    }
    const gaps = alarms.slice(1).map((time, at) => minutesOf(time) - minutesOf(alarms[at] ?? ""));
    assert.equal(alarms[0], "12:20");
    assert.ok(alarms.length > 1);
    assert.ok(
      gaps.every((gap) => gap >= 60),
      alarms.join(" "),
    );
  });

  test("three reverts within an hour are no fight, and neither are many that are further apart", async () => {
    assert.deepEqual(await sweepEvery(5, 4), [undefined, undefined, undefined, undefined]);
    bench.advance(120);
    assert.deepEqual(
      (await sweepEvery(20, 12)).filter((fight) => fight !== undefined),
      [],
    );
    assert.deepEqual(bench.published, []);
  });

  test("what others put right themselves is no revert of ours", async () => {
    for (let time = 0; time < 6; time += 1) {
      assert.equal(await sweep(aRow(), ""), undefined);
      bench.advance(5);
    }
  });

  test("each field is counted for itself: another field of the object is healed", async () => {
    await sweepEvery(5, 4);
    bench.advance(5);
    const rows = [aRow(), aRow({ field: "spec.paused", live: true })].map(seenAt);
    const told = await fightsOf("shop", rows, {});
    assert.deepEqual(
      told.map(({ field, fight }) => [field, fight?.reverts]),
      [
        ["spec.replicas", 4],
        ["spec.paused", undefined],
      ],
    );
  });

  test("an object that is deleted again and again is a fight, and who deletes it is named where the audit log told", async () => {
    const by = { user: "ada", sourceIp: "10.0.0.1", userAgent: "kubectl", at: "2025-03-01T12:00:00Z" };
    const gone = aRow({ kind: "missing", field: "", manager: "", operation: "", changedAt: "", by });
    const fights = await sweepEvery(5, 5, gone);
    assert.deepEqual(fights.at(-1), { managers: ["driftless", "ada"], reverts: 4 });
  });

  test("an addition that is removed each time is a fight too, and everyone who made it is named", async () => {
    const added = (manager: string) => aRow({ kind: "addition", field: "data.extra", manager });
    await sweepEvery(5, 3, added("kubectl-edit"));
    bench.advance(5);
    await sweep(added("operator"));
    bench.advance(5);
    const fight = await sweep(added("operator"));
    assert.deepEqual([fight?.managers.toSorted(), fight?.reverts], [["driftless", "kubectl-edit", "operator"], 4]);
  });

  test("without rows nothing is read", async () => {
    const none = { drift: { healedSince: () => Promise.reject(new Error("read")) } } as never;
    assert.deepEqual(await createFights({ ...bench, stores: none })("shop", [], {}), []);
  });
});

function minutesOf(time: string): number {
  const [hours = "", minutes = ""] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}
