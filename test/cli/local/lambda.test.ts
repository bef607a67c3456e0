import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { InvokeCommand, type InvokeCommandOutput, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { startTestLambda, temporaryFile, until } from "./fixtures/start.ts";

const payload = (ask: unknown): Uint8Array => Buffer.from(JSON.stringify(ask));
const parsed = (output: InvokeCommandOutput): unknown => JSON.parse(Buffer.from(output.Payload ?? []).toString());

test("a function is invoked through the SDK's client, by name, ARN and qualifier", async (t) => {
  const { client } = await startTestLambda(t);
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:plain";
  for (const FunctionName of ["plain", arn, `${arn}:live`]) {
    const output = await client.send(new InvokeCommand({ FunctionName, Payload: payload({ do: "echo", value: { ü: [1] } }) }));
    assert.equal(output.StatusCode, 200);
    assert.equal(output.FunctionError, undefined);
    assert.partialDeepStrictEqual(parsed(output), {
      value: { ü: [1] },
      functionName: "plain",
      invokedFunctionArn: `${arn}:${FunctionName.endsWith("live") ? "live" : "$LATEST"}`,
    });
  }
  await assert.rejects(client.send(new InvokeCommand({ FunctionName: "nobody" })), ResourceNotFoundException);
});

test("a function sees the given environment, dummy credentials and nothing of its parent's", async (t) => {
  process.env["DRIFTLESS_TEST_LEAK"] = "leaked";
  t.after(() => delete process.env["DRIFTLESS_TEST_LEAK"]);
  const { lambda } = await startTestLambda(t, { environment: { TABLE: "rows" } });
  const result = await lambda.invoke("plain", { do: "environment" });
  assert.ok("payload" in result);
  const { NODE_CHANNEL_FD: _, NODE_CHANNEL_SERIALIZATION_MODE: __, ...environment } = result.payload as Record<string, string>;
  assert.deepEqual(environment, {
    TABLE: "rows",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
  });
});

test("many invocations run at once in one process", async (t) => {
  const { lambda } = await startTestLambda(t);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, value) => lambda.invoke("plain", value % 2 ? { do: "sleep", ms: 20 } : { do: "echo", value })),
  );
  const answers = results.map((result) => ("payload" in result ? (result.payload as { value?: number; pid?: number }) : {}));
  assert.deepEqual(
    answers.flatMap(({ value }) => value ?? []),
    Array.from({ length: 25 }, (_, index) => index * 2),
  );
  assert.deepEqual(new Set(answers.flatMap(({ pid }) => pid ?? [])), new Set([lambda.pid]));
});

test("a thrown error is the answer, with its type, message and stack", async (t) => {
  const { client, lambda } = await startTestLambda(t);
  const output = await client.send(new InvokeCommand({ FunctionName: "plain", Payload: payload({ do: "throw" }) }));
  assert.equal(output.StatusCode, 200);
  assert.equal(output.FunctionError, "Unhandled");
  const error = parsed(output) as { errorType: string; errorMessage: string; trace: string[] };
  assert.equal(error.errorType, "RangeError");
  assert.equal(error.errorMessage, "asked to throw");
  assert.match(error.trace.join("\n"), /plain\.ts:\d+/);
  for (const name of ["missing", "handlerless"]) assert.ok("error" in (await lambda.invoke(name, {})));
});

test("a crash fails what is in flight, and the next invocation finds a new process", async (t) => {
  const { lambda } = await startTestLambda(t);
  const hanging = lambda.invoke("plain", { do: "hang" });
  const before = lambda.pid;
  const crash = await lambda.invoke("plain", { do: "exit" });
  assert.ok("error" in crash);
  assert.equal(crash.error.errorType, "Runtime.ExitError");
  assert.match(crash.error.errorMessage, /exit status 3$/);
  assert.ok("error" in (await hanging));
  const after = await lambda.invoke("plain", { do: "echo" });
  assert.ok("payload" in after);
  assert.notEqual(lambda.pid, before);
});

test("Ctrl-C, which reaches the process too, leaves its end to the parent", async (t) => {
  const { lambda } = await startTestLambda(t);
  await lambda.invoke("plain", { do: "echo" });
  const before = lambda.pid;
  const busy = lambda.invoke("plain", { do: "sleep", ms: 30 });
  process.kill(before ?? 0, "SIGINT");
  assert.deepEqual(await busy, { payload: { slept: 30 } });
  assert.equal(lambda.pid, before);
});

test("an invocation over its time is ended with its process, even one that never yields", async (t) => {
  const { lambda } = await startTestLambda(t);
  for (const ask of ["hang", "spin"]) {
    const result = await lambda.invoke("hasty", { do: ask });
    assert.ok("error" in result);
    assert.match(result.error.errorMessage, /Task timed out after 0\.30 seconds$/);
  }
  assert.ok("payload" in (await lambda.invoke("plain", { do: "echo" })));
});

test("an asynchronous invocation that fails is tried at most twice more", async (t) => {
  const { client, logged } = await startTestLambda(t);
  const recovers = temporaryFile(t, "recovers");
  const fails = temporaryFile(t, "fails");
  for (const [file, times] of [
    [recovers, 2],
    [fails, 99],
  ] as const) {
    const Payload = payload({ do: "fail-times", file, times });
    const output = await client.send(new InvokeCommand({ FunctionName: "plain", InvocationType: "Event", Payload }));
    assert.equal(output.StatusCode, 202);
  }
  await until(() => logged.some(({ event }) => event === "lambda.event-dropped"));
  assert.equal(readFileSync(fails, "utf8"), "xxx");
  await until(() => readFileSync(recovers, "utf8") === "xxx");
});

test("an asynchronous invocation survives the death of the process", async (t) => {
  const { client, lambda } = await startTestLambda(t);
  const file = temporaryFile(t, "calls");
  await lambda.invoke("plain", { do: "echo" });
  lambda.kill();
  const Payload = payload({ do: "fail-times", file, times: 0 });
  await client.send(new InvokeCommand({ FunctionName: "plain", InvocationType: "Event", Payload }));
  await until(() => {
    try {
      return readFileSync(file, "utf8").length > 0;
    } catch {
      return false;
    }
  });
});

test("what the functions print arrives line by line", async (t) => {
  const { lambda, lines } = await startTestLambda(t);
  await lambda.invoke("plain", { do: "print", value: "one\ntwo" });
  await until(() => lines.length >= 2);
  assert.deepEqual(lines, ["one", "two"]);
});

test("bad requests are refused in the service's words", async (t) => {
  const { client } = await startTestLambda(t);
  const send = (input: Partial<ConstructorParameters<typeof InvokeCommand>[0]>): Promise<InvokeCommandOutput> =>
    client.send(new InvokeCommand({ FunctionName: "plain", ...input }));
  await assert.rejects(send({ Payload: Buffer.from("{") }), { name: "InvalidRequestContentException" });
  const large = payload("x".repeat(1_100_000));
  await assert.rejects(send({ InvocationType: "Event", Payload: large }), { name: "RequestTooLargeException" });
  assert.equal((await send({ Payload: payload({ do: "echo", value: "x".repeat(1_100_000) }) })).StatusCode, 200);
  await assert.rejects(send({ DurableExecutionName: "a" }), { name: "InvalidParameterValueException" });
  await assert.rejects(send({ FunctionName: "durable", InvocationType: "Event" }), {
    name: "InvalidParameterValueException",
    message: "You cannot invoke a durable function using an unqualified ARN.",
  });
  await assert.rejects(send({ FunctionName: "durable", Qualifier: "live", DurableExecutionName: "a b" }), {
    name: "InvalidParameterValueException",
  });
});

test("the functions' process ends when its parent is killed", async (t) => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const port = (server.address() as { port: number }).port;
  const connected = once(server, "connection");
  const parent = fork(fileURLToPath(new URL("./fixtures/parent.ts", import.meta.url)), [String(port)], { execArgv: [] });
  const [socket] = (await connected) as [import("node:net").Socket];
  const gone = once(socket.on("error", () => undefined).resume(), "close");
  parent.kill("SIGKILL");
  await gone;
});
