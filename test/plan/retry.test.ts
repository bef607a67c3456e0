import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { mayRetry, retryTime } from "../../lib/plan/retry.ts";
import { aSync } from "../contracts/rows.ts";

const policy = { limit: 5, backoff: { duration: 5, factor: 2, maxDuration: 180 } };
const failed = (attempt: number) => aSync({ phase: "Failed", attempt, finishedAt: "2025-03-01T12:00:00.000Z" });

describe("a sync that failed for a passing reason", () => {
  const times: readonly (readonly [number, string | undefined])[] = [
    [1, "2025-03-01T12:00:05.000Z"],
    [2, "2025-03-01T12:00:10.000Z"],
    [3, "2025-03-01T12:00:20.000Z"],
    [5, "2025-03-01T12:01:20.000Z"],
    [6, undefined],
  ];
  for (const [attempt, time] of times) {
    it(`is started again after try ${attempt} ${time === undefined ? "no more" : `at ${time.slice(11, 19)}`}`, () => {
      assert.equal(retryTime(failed(attempt), policy)?.toISOString(), time);
    });
  }

  it("is not started again before its pause is over", () => {
    assert.equal(mayRetry(failed(1), { policy, now: new Date("2025-03-01T12:00:04.999Z") }), false);
    assert.equal(mayRetry(failed(1), { policy, now: new Date("2025-03-01T12:00:05.000Z") }), true);
  });

  it("is never started again with a limit of 0", () => {
    assert.equal(retryTime(failed(1), { ...policy, limit: 0 }), undefined);
  });

  it("is tried for ever, at the longest pause, while the cluster cannot be reached", () => {
    const sync = { ...failed(4000), unreachable: true as const };
    assert.equal(retryTime(sync, policy)?.toISOString(), "2025-03-01T12:03:00.000Z");
  });

  it("never waits longer than the longest pause, and never less than for the try before", () => {
    const whole = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(whole(100), whole(60), whole(10), whole(3600), (attempt, duration, factor, maxDuration) => {
        const long = { limit: 1000, backoff: { duration: Math.min(duration, maxDuration), factor, maxDuration } };
        const pause = (tries: number) =>
          (retryTime(failed(tries), long)?.getTime() ?? 0) - Date.parse("2025-03-01T12:00:00.000Z");
        assert.ok(pause(attempt) <= maxDuration * 1000);
        assert.ok(pause(attempt + 1) >= pause(attempt));
      }),
    );
  });
});
