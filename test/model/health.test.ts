import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Health, type HealthStatus, worstHealth } from "../../lib/model/health.ts";

const aHealth = (status: HealthStatus, message = ""): Health => ({ status, message });
const statuses: readonly HealthStatus[] = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"];

test("nothing to look at is healthy", () => assert.deepEqual(worstHealth([]), { status: "Healthy", message: "" }));

for (const [index, worse] of statuses.entries()) {
  for (const better of statuses.slice(0, index)) {
    test(`${worse} weighs more than ${better}, whichever comes first`, () => {
      const pair = [aHealth(better, "fine"), aHealth(worse, "why")];
      assert.deepEqual(worstHealth(pair), aHealth(worse, "why"));
      assert.deepEqual(worstHealth(pair.toReversed()), aHealth(worse, "why"));
    });
  }
}

test("of several that are equally bad the first speaks", () => {
  const all = [aHealth("Degraded", "first"), aHealth("Healthy"), aHealth("Degraded", "second")];
  assert.deepEqual(worstHealth(all), aHealth("Degraded", "first"));
});

test("the worst is one of them, and does not depend on their order", () => {
  const health = fc.record({ status: fc.constantFrom(...statuses), message: fc.string() });
  const isHealthy = ({ status }: Health) => status === "Healthy";
  fc.assert(
    fc.property(fc.array(health, { minLength: 1 }), (all) => {
      assert.ok(all.every(isHealthy) || all.includes(worstHealth(all)));
      assert.equal(worstHealth(all.toReversed()).status, worstHealth(all).status);
    }),
  );
});
