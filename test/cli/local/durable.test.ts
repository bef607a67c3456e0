import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  CheckpointDurableExecutionCommand,
  DurableExecutionAlreadyStartedException,
  InvokeCommand,
} from "@aws-sdk/client-lambda";
import type { Checkpoint, CheckpointVerdict } from "../../../cli/local/durable.ts";
import type { ExecutionSummary } from "../../../cli/local/execution.ts";
import { startTestLambda, temporaryFile, until } from "./fixtures/start.ts";

const effectsOf = (file: string): readonly string[] => readFileSync(file, "utf8").trimEnd().split("\n");
const times = (file: string, name: string): number => effectsOf(file).filter((effect) => effect === name).length;
const last = (executions: readonly ExecutionSummary[]): ExecutionSummary => executions.at(-1) as ExecutionSummary;

test("the worker killed at any checkpoint resumes: every step is done, none that was saved is repeated, the result is right", async (t) => {
  let decide: ((checkpoint: Checkpoint) => CheckpointVerdict) | undefined;
  const { lambda } = await startTestLambda(t, { timeScale: 0.05, onCheckpoint: (checkpoint) => decide?.(checkpoint) });
  const rehearsal = temporaryFile(t, "rehearsal");
  await lambda.invoke("durable", { kind: "steps", file: rehearsal });
  const { checkpoints } = last(lambda.executions());
  assert.ok(checkpoints >= 6, `only ${checkpoints} checkpoints`);

  for (const verdict of ["kill", "lose"] as const) {
    for (let at = 1; at <= checkpoints; at += 1) {
      const file = temporaryFile(t, `${verdict}-${at}`);
      const savedAfter = new Map<string, number>();
      decide = ({ execution, updates }) => {
        const chosen = execution.checkpoints === at ? verdict : undefined;
        for (const { Action, Type, Name = "" } of chosen === "lose" ? [] : updates) {
          if (Type === "STEP" && Action === "SUCCEED") savedAfter.set(Name, times(file, Name));
        }
        return chosen;
      };
      const result = await lambda.invoke("durable", { kind: "steps", file });
      assert.deepEqual(result, { payload: { a: 1, b: 2, c: 3, d: 4 } }, `${verdict} at ${at}`);
      for (const step of ["a", "b", "c", "d", "e"]) {
        assert.ok(times(file, step) >= 1, `${step} was not done: ${verdict} at ${at}`);
        assert.equal(times(file, step), savedAfter.get(step), `${step} was repeated after it was saved: ${verdict} at ${at}`);
      }
    }
  }
});

test("executions that run at once all survive a kill", async (t) => {
  const { lambda } = await startTestLambda(t, { onCheckpoint: ({ count }) => (count === 20 ? "kill" : undefined) });
  const files = Array.from({ length: 8 }, (_, index) => temporaryFile(t, `run-${index}`));
  const results = await Promise.all(files.map((file) => lambda.invoke("durable", { kind: "steps", file })));
  assert.deepEqual(
    results,
    files.map(() => ({ payload: { a: 1, b: 2, c: 3, d: 4 } })),
  );
});

test("a wait suspends without an invocation, and the execution resumes after it", async (t) => {
  const { lambda, client } = await startTestLambda(t, { timeScale: 0.5 });
  const file = temporaryFile(t, "wait");
  const Payload = Buffer.from(JSON.stringify({ kind: "wait", file }));
  const command = { FunctionName: "durable", Qualifier: "live", InvocationType: "Event", DurableExecutionName: "w-1" } as const;
  const { DurableExecutionArn, StatusCode } = await client.send(new InvokeCommand({ ...command, Payload }));
  assert.equal(StatusCode, 202);
  assert.match(DurableExecutionArn ?? "", /function:durable:live\/durable-execution\/w-1\/[0-9a-f-]{36}$/);
  await until(() => last(lambda.executions()).checkpoints >= 2);
  // The wait lasts a second of real time; to kill the process in it disturbs nothing, because nothing runs.
  await until(() => !last(lambda.executions()).active);
  lambda.kill();
  await until(() => last(lambda.executions()).status !== "RUNNING");
  assert.partialDeepStrictEqual(last(lambda.executions()), { status: "SUCCEEDED", invocations: 2, result: '"rested"' });
  assert.deepEqual(effectsOf(file), ["invoked", "before", "invoked", "after"]);
});

test("a step that fails is tried again after its delay, and its attempts are counted", async (t) => {
  const { lambda } = await startTestLambda(t);
  const file = temporaryFile(t, "retry");
  assert.deepEqual(await lambda.invoke("durable", { kind: "retry", file }), { payload: 3 });
  assert.deepEqual(
    effectsOf(file).filter((effect) => effect !== "invoked"),
    ["attempt 1", "attempt 2", "attempt 3"],
  );
});

test("branches wait side by side and each goes on when its own wait is over", async (t) => {
  const { lambda } = await startTestLambda(t);
  const file = temporaryFile(t, "branches");
  assert.deepEqual(await lambda.invoke("durable", { kind: "branches", file }), { payload: 2 });
  assert.equal(times(file, "left"), 1);
  assert.equal(times(file, "right"), 1);
});

test("a long history reaches the function page by page", async (t) => {
  // Long enough that the SDK suspends instead of waiting itself, which it does below 20 ms.
  const { lambda } = await startTestLambda(t, { timeScale: 0.4 });
  const result = await lambda.invoke("durable", { kind: "many", steps: 300, pause: true, file: temporaryFile(t, "many") });
  assert.deepEqual(result, { payload: 300 });
  assert.equal(last(lambda.executions()).invocations, 2);
});

test("a result too large for an answer comes by checkpoint", async (t) => {
  const { lambda } = await startTestLambda(t);
  const result = await lambda.invoke("durable", { kind: "large", file: temporaryFile(t, "large") });
  assert.equal("payload" in result && (result.payload as string).length, 6_400_000);
});

test("an error of the handler fails the execution", async (t) => {
  const { lambda } = await startTestLambda(t);
  const result = await lambda.invoke("durable", { kind: "fail", file: temporaryFile(t, "fail") });
  assert.deepEqual(result, { error: { errorType: "TypeError", errorMessage: "no such luck" } });
});

test("a handler that is not made by withDurableExecution fails with a word that says so", async (t) => {
  const { lambda } = await startTestLambda(t);
  const result = await lambda.invoke("unwrapped", {});
  assert.ok("error" in result);
  assert.match(result.error.errorMessage, /withDurableExecution/);
});

test("the same name and payload is one execution, another payload is refused", async (t) => {
  const { lambda, client } = await startTestLambda(t);
  const file = temporaryFile(t, "named");
  const start = (steps: number): Promise<{ DurableExecutionArn?: string | undefined }> =>
    client.send(
      new InvokeCommand({
        FunctionName: "durable",
        Qualifier: "live",
        InvocationType: "Event",
        DurableExecutionName: "push_1-a",
        Payload: Buffer.from(JSON.stringify({ kind: "many", steps, file })),
      }),
    );
  const [first, second] = await Promise.all([start(3), start(3)]);
  assert.equal(first.DurableExecutionArn, second.DurableExecutionArn);
  await until(() => last(lambda.executions()).status === "SUCCEEDED");
  assert.equal((await start(3)).DurableExecutionArn, first.DurableExecutionArn);
  await assert.rejects(start(4), DurableExecutionAlreadyStartedException);
  assert.equal(lambda.executions().length, 1);
  assert.equal(times(file, "invoked"), 1);
});

test("a checkpoint with a token that is not the current one is refused in the words that the SDK knows", async (t) => {
  const { client, lambda } = await startTestLambda(t);
  await lambda.invoke("durable", { kind: "many", steps: 1, file: temporaryFile(t, "token") });
  const DurableExecutionArn = last(lambda.executions()).arn;
  const send = (arn: string): Promise<unknown> =>
    client.send(new CheckpointDurableExecutionCommand({ DurableExecutionArn: arn, CheckpointToken: "old", Updates: [] }));
  await assert.rejects(send(DurableExecutionArn), {
    name: "InvalidParameterValueException",
    message: /^Invalid Checkpoint Token/,
  });
  await assert.rejects(send("arn:aws:lambda:us-east-1:000000000000:function:x"), { name: "ResourceNotFoundException" });
});
