import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationUpdate } from "@aws-sdk/client-lambda";
import { createDurableEngine, type DurableEngine } from "../../../cli/local/durable.ts";
import type { Outcome } from "../../../cli/local/invocation.ts";
import { systemClock } from "../../../lib/telemetry/clock.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";

interface Event {
  readonly CheckpointToken: string;
  readonly InitialExecutionState: { readonly Operations: readonly { readonly Id: string; readonly Status: string }[] };
}

type Invoked = { readonly event: Event; answer(outcome: Outcome): void };

/** An engine whose invocations the test answers by hand. */
function aRun(): { engine: DurableEngine; arn: string; next: () => Promise<Invoked> } {
  const invoked: Invoked[] = [];
  const waiting: ((call: Invoked) => void)[] = [];
  const engine = createDurableEngine({
    invoke: (_name, event) =>
      new Promise((answer) => {
        const call = { event: JSON.parse(event) as Event, answer };
        const first = waiting.shift();
        if (first === undefined) invoked.push(call);
        else first(call);
      }),
    kill: () => undefined,
    log: silentLog,
    clock: systemClock,
    timeScale: 0.01,
    onCheckpoint: () => undefined,
  });
  const started = engine.start({ functionName: "f", qualifier: "live", name: "n", input: "{}" });
  assert.ok("arn" in started);
  const next = (): Promise<Invoked> =>
    new Promise((resolve) => {
      const ready = invoked.shift();
      if (ready === undefined) waiting.push(resolve);
      else resolve(ready);
    });
  return { engine, arn: started.arn, next };
}

const step = (id: string, action: "START" | "SUCCEED", extra: Partial<OperationUpdate> = {}): OperationUpdate => ({
  Id: id,
  Type: "STEP",
  Action: action,
  ...extra,
});
const output = (value: unknown): Outcome => ({ payload: JSON.stringify(value) });
const crash: Outcome = { error: { errorType: "Runtime.ExitError", errorMessage: "killed" } };
const stale = { refusal: { status: 400, type: "InvalidParameterValueException", message: "Invalid Checkpoint Token" } };

test("a killed invocation that lives on can change nothing: its token is stale from the moment the service knows", async () => {
  const { engine, arn, next } = aRun();
  const zombie = await next();
  const first = engine.checkpoint(arn, { CheckpointToken: zombie.event.CheckpointToken, Updates: [step("a", "START")] });
  assert.ok(typeof first === "object" && "token" in first);
  zombie.answer(crash);
  const successor = await next();
  for (const CheckpointToken of [zombie.event.CheckpointToken, first.token]) {
    assert.deepEqual(engine.checkpoint(arn, { CheckpointToken, Updates: [step("a", "SUCCEED")] }), stale);
  }
  const saved = engine.checkpoint(arn, {
    CheckpointToken: successor.event.CheckpointToken,
    Updates: [step("a", "SUCCEED", { Payload: "1" })],
  });
  assert.ok(typeof saved === "object" && "changed" in saved);
  assert.partialDeepStrictEqual(saved.changed, [{ Id: "a", Status: "SUCCEEDED", StepDetails: { Result: "1" } }]);
  successor.answer(output({ Status: "SUCCEEDED", Result: "7" }));
  assert.partialDeepStrictEqual(await engine.finished(arn), { status: "SUCCEEDED", result: "7", invocations: 2 });
  assert.deepEqual(engine.checkpoint(arn, { CheckpointToken: saved.token, Updates: [] }), stale);
  engine.close();
});

test("a token is used once, but a repeated request gets its first answer again", async () => {
  const { engine, arn, next } = aRun();
  const { event } = await next();
  const request = { CheckpointToken: event.CheckpointToken, ClientToken: "c-1", Updates: [step("a", "START")] };
  const first = engine.checkpoint(arn, request);
  assert.deepEqual(engine.checkpoint(arn, request), first);
  assert.deepEqual(engine.checkpoint(arn, { ...request, ClientToken: "c-2" }), stale);
  engine.close();
});

test("a checkpoint with one impossible update changes nothing", async () => {
  const { engine, arn, next } = aRun();
  const { event } = await next();
  const refused = engine.checkpoint(arn, {
    CheckpointToken: event.CheckpointToken,
    Updates: [step("a", "START"), step("a", "START")],
  });
  assert.ok(typeof refused === "object" && "refusal" in refused);
  assert.match(refused.refusal.message, /Invalid STEP action START in status STARTED/);
  const state = engine.state(arn, { token: event.CheckpointToken, start: 0, size: 10 });
  assert.equal("Operations" in state && state.Operations.length, 1);
  for (const update of [
    { Id: "w", Type: "CALLBACK", Action: "START" },
    { Id: "w", ParentId: "nobody", Type: "STEP", Action: "START" },
    { Id: "w", Type: "STEP", Action: "RETRY" },
  ] satisfies OperationUpdate[]) {
    const answer = engine.checkpoint(arn, { CheckpointToken: event.CheckpointToken, Updates: [update] });
    assert.ok(typeof answer === "object" && "refusal" in answer);
  }
  engine.close();
});

test("PENDING with nothing to wait for fails the execution instead of hanging", async () => {
  const { engine, arn, next } = aRun();
  (await next()).answer(output({ Status: "PENDING" }));
  assert.partialDeepStrictEqual(await engine.finished(arn), {
    status: "FAILED",
    error: { ErrorMessage: "Cannot return PENDING status with no pending operations." },
  });
  engine.close();
});

test("an execution whose invocations all crash without progress ends as failed; a checkpoint counts as progress", async () => {
  const { engine, arn, next } = aRun();
  for (let crashes = 0; crashes < 10; crashes += 1) (await next()).answer(crash);
  const progress = await next();
  engine.checkpoint(arn, { CheckpointToken: progress.event.CheckpointToken, Updates: [step("a", "START")] });
  progress.answer(crash);
  for (let crashes = 0; crashes < 10; crashes += 1) (await next()).answer(crash);
  assert.partialDeepStrictEqual(await engine.finished(arn), {
    status: "FAILED",
    invocations: 21,
    error: { ErrorType: "Runtime.ExitError", ErrorMessage: "killed" },
  });
  engine.close();
});

test("a wait that ends while its invocation still runs leads to another invocation", async () => {
  const { engine, arn, next } = aRun();
  const first = await next();
  const wait: OperationUpdate = { Id: "w", Type: "WAIT", Action: "START", WaitOptions: { WaitSeconds: 1 } };
  let asked = engine.checkpoint(arn, { CheckpointToken: first.event.CheckpointToken, Updates: [wait] });
  for (;;) {
    assert.ok(typeof asked === "object" && "token" in asked);
    if (asked.changed.some(({ Status }) => Status === "SUCCEEDED")) break;
    await new Promise((resolve) => setImmediate(resolve));
    asked = engine.checkpoint(arn, { CheckpointToken: asked.token, Updates: [] });
  }
  first.answer(output({ Status: "PENDING" }));
  const second = await next();
  assert.equal(second.event.InitialExecutionState.Operations.find(({ Id }) => Id === "w")?.Status, "SUCCEEDED");
  second.answer(output({ Status: "SUCCEEDED" }));
  assert.partialDeepStrictEqual(await engine.finished(arn), { status: "SUCCEEDED", invocations: 2 });
  engine.close();
});
