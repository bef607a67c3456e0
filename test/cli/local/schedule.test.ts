import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvocationResult } from "../../../cli/local/invocation.ts";
import { startSchedule } from "../../../cli/local/schedule.ts";
import { jsonLog } from "../../../lib/telemetry/log.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a scheduled function never overlaps itself, outlives a failure, and is waited for on close", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const logged: string[] = [];
  const calls: ((result: InvocationResult) => void)[] = [];
  const schedule = startSchedule({
    functionName: "sweep",
    everySeconds: 10,
    log: jsonLog({ write: (line) => void logged.push((JSON.parse(line) as { event: string }).event) }),
    invoke: () => new Promise((resolve) => calls.push(resolve)),
  });
  t.mock.timers.tick(9_999);
  assert.equal(calls.length, 0);
  t.mock.timers.tick(30_001);
  assert.equal(calls.length, 1);
  calls[0]?.({ error: { errorType: "Error", errorMessage: "no" } });
  await settle();
  assert.deepEqual(logged, ["schedule.failed"]);
  t.mock.timers.tick(10_000);
  assert.equal(calls.length, 2);
  const closing = schedule.close().then(() => "closed");
  assert.equal(await Promise.race([closing, settle()]), undefined);
  calls[1]?.({ payload: null });
  await closing;
  t.mock.timers.tick(60_000);
  assert.equal(calls.length, 2);
});
