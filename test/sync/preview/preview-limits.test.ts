import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlannedChange } from "../../../lib/model/plan.ts";
import { withinLimits } from "../../../lib/sync/preview/preview-limits.ts";

const aChange = (fields: number, reason = ""): PlannedChange => ({
  action: "change",
  ref: { group: "", version: "v1", kind: "ConfigMap", namespace: "shop", name: "a" },
  fields: Array.from({ length: fields }, (_, number) => ({ path: `data.k${number}`, to: "1", manager: "" })),
  reason,
});
const told = (changes: readonly PlannedChange[]) => withinLimits(changes).map(({ fields, reason }) => [fields.length, reason]);

test("a plan lists a hundred fields of an object, and says how many more there are", () => {
  assert.deepEqual(told([aChange(100), aChange(101), aChange(150, "why")]), [
    [100, ""],
    [100, "1 more fields are not listed"],
    [100, "why; 50 more fields are not listed"],
  ]);
});

test("a plan lists three thousand fields in all, and every change", () => {
  const changes = told(Array.from({ length: 40 }, () => aChange(100)));
  assert.equal(changes.length, 40);
  assert.deepEqual(
    [changes[29], changes[30]],
    [
      [100, ""],
      [0, "100 more fields are not listed"],
    ],
  );
});
