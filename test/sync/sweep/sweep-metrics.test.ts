import assert from "node:assert/strict";
import { test } from "node:test";
import { oldestUnsynced } from "../../../lib/sync/sweep/sweep-metrics.ts";
import { aState, aSync } from "../../contracts/rows.ts";

const now = new Date("2025-03-01T12:00:00.000Z");
const desired = { generation: 2, revision: "6dcb09b", snapshot: "s1", plannedAt: "2025-03-01T11:50:00.000Z" };
const earlier = { ...desired, plannedAt: "2025-03-01T11:30:00.000Z" };

test("the oldest desired state that no sync has brought to health tells how late syncs are", () => {
  const failed = aSync({ generation: 2, phase: "Failed" });
  const running = aSync({ generation: 2, phase: "Running" });
  assert.equal(
    oldestUnsynced([aState({ desired, lastSync: running }), aState({ desired: earlier, lastSync: failed })], now),
    1800,
  );
  assert.equal(oldestUnsynced([aState({ desired, lastSync: aSync({ generation: 1, phase: "Succeeded" }) })], now), 600);
});

test("what is synced, was never rendered or is suspended is not late", () => {
  const suspended = { owner: "ada", reason: "freeze", until: "" };
  const synced = aState({ desired, lastSync: aSync({ generation: 2, phase: "Succeeded" }) });
  assert.equal(oldestUnsynced([synced, aState(), aState({ desired, suspended })], now), 0);
  assert.equal(oldestUnsynced([], now), 0);
});
