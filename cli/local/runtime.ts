/**
 * The child process that runs the functions: it imports their modules on first use and answers invocations that arrive
 * over the channel to its parent, many at a time. It ends when the parent does.
 */
import { pathToFileURL } from "node:url";
import { systemClock } from "../../lib/telemetry/clock.ts";
import type { FunctionError, InvokeMessage, WorkerMessage } from "./invocation.ts";

type Handler = (event: unknown, context: unknown) => unknown;

const handlers = new Map<string, Promise<Handler>>();

// Ctrl-C in a terminal reaches this process too: its parent decides when it ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (message: InvokeMessage) => void run(message));
send({ type: "ready" });

async function run(message: InvokeMessage): Promise<void> {
  try {
    const handler = await handlerOf(message.module);
    const payload: string | undefined = JSON.stringify(await handler(JSON.parse(message.payload), contextOf(message)));
    send({ type: "result", id: message.id, payload });
  } catch (error) {
    send({ type: "error", id: message.id, error: functionError(error) });
  }
}

function handlerOf(module: string): Promise<Handler> {
  const known = handlers.get(module);
  if (known !== undefined) return known;
  const loading = import(pathToFileURL(module).href).then((exports: { handler?: unknown }) => {
    if (typeof exports.handler !== "function") throw new TypeError(`${module} exports no function named handler`);
    return exports.handler as Handler;
  });
  handlers.set(module, loading);
  return loading;
}

function contextOf({ id, functionName, functionArn, deadline }: InvokeMessage): unknown {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: functionArn,
    memoryLimitInMB: "1024",
    awsRequestId: id,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "local",
    getRemainingTimeInMillis: () => Math.max(0, deadline - systemClock.now().getTime()),
  };
}

function functionError(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function send(message: WorkerMessage): void {
  if (process.connected) process.send?.(message);
}
