import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DriftDetail, EventDetails, EventRow, SweepLateDetail } from "../../lib/events/events.ts";
import { metricUnits } from "../../lib/telemetry/metrics.ts";
import { sectionOf, tableRows } from "./pages.ts";

const page = "docs/events.md";
const documented = (heading: string): readonly string[] => [...tableRows(sectionOf(page, heading)).keys()];

/** Every field that the types have, since none may be left out here and none be added. */
const types: Required<{ readonly [Type in keyof EventDetails]: true }> = {
  DriftDetected: true,
  DriftHealed: true,
  DriftPrevented: true,
  DriftFight: true,
  SweepLate: true,
};
const drift: { readonly [Field in keyof Required<DriftDetail>]: true } = {
  version: true,
  application: true,
  cluster: true,
  correlationId: true,
  at: true,
  count: true,
  rows: true,
};
const row: { readonly [Field in keyof Required<EventRow>]: true } = {
  kind: true,
  ref: true,
  field: true,
  desired: true,
  live: true,
  manager: true,
  operation: true,
  changedAt: true,
  firstSeen: true,
  lastSeen: true,
  by: true,
  fight: true,
};
const late: { readonly [Field in keyof Required<SweepLateDetail>]: true } = {
  version: true,
  correlationId: true,
  at: true,
  lastSweepAt: true,
  ageSeconds: true,
  intervalSeconds: true,
  clusters: true,
};

suite("docs/events.md", () => {
  test("says every detail type, and no other", () => {
    assert.deepEqual(documented("Events").toSorted(), Object.keys(types).toSorted());
  });

  test("says every field of a detail and of its rows, and no other", () => {
    assert.deepEqual(documented("Detail of drift").toSorted(), [...Object.keys(drift), "sync"].toSorted());
    assert.deepEqual(documented("Rows").toSorted(), Object.keys(row).toSorted());
    assert.deepEqual(documented("Detail of SweepLate").toSorted(), Object.keys(late).toSorted());
  });

  test("says every metric with its unit, and no other", () => {
    const rows = tableRows(sectionOf(page, "Metrics"));
    assert.deepEqual(
      [...rows].map(([name, cells]) => [name, cells[1]]),
      Object.entries(metricUnits),
    );
  });
});
