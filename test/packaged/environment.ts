import { type ChildProcess, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import type { FunctionError, Outcome } from "../../cli/local/invocation.ts";
import { readBody, sendJson, startLoopback } from "../../cli/local/loopback.ts";
import type { Clock } from "../../lib/telemetry/clock.ts";

/** One call, as the Runtime API hands it over. */
export interface Call {
  readonly id: string;
  readonly functionArn: string;
  readonly payload: string;
}

export interface EnvironmentOptions {
  /** Program of the runtime interface client. */
  readonly client: string;
  /** Folder of the unpacked zip. */
  readonly folder: string;
  /** As the template has it, such as `functions/webhook.handler`. */
  readonly handler: string;
  /** Seconds that one call may take; then the process is killed. */
  readonly timeoutSeconds: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** A line that the function, or the client, wrote. */
  readonly onLine: (line: string) => void;
}

/** An execution environment of one function: a process that takes one call at a time, and the Runtime API that it asks. */
export interface ExecutionEnvironment {
  readonly pid: number | undefined;
  /** False once a call failed hard, timed out, or the process ended. */
  readonly usable: boolean;
  /** Never rejects; only one at a time. */
  call(call: Call): Promise<Outcome>;
  /** SIGKILL. */
  kill(): void;
  /** Resolves when process and server are gone. */
  readonly gone: Promise<void>;
}

interface Pending {
  readonly call: Call;
  readonly settle: (outcome: Outcome) => void;
  delivered: boolean;
}

const paths = /^\/2018-06-01\/runtime\/(?:(init)\/error|invocation\/next|invocation\/([^/]+)\/(response|error))$/;
/** The largest answer that Lambda takes of a function that is waited for: 6 MB and a little. */
const largestAnswer = 6_291_556;
/** A start is given more than Lambda's ten seconds: two cores may have much else to do. */
const startSeconds = 60;

export async function startEnvironment(options: EnvironmentOptions): Promise<ExecutionEnvironment> {
  const { timeoutSeconds, clock } = options;
  let pending: Pending | undefined;
  let asking: ServerResponse | undefined;
  let usable = true;
  let initError: FunctionError | undefined;
  let timer: NodeJS.Timeout | undefined;

  const settle = (outcome: Outcome): void => {
    clearTimeout(timer);
    const settled = pending;
    pending = undefined;
    settled?.settle(outcome);
  };
  const limit = (seconds: number, what: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const errorMessage = `RequestId: ${pending?.call.id} Error: ${what} timed out after ${seconds.toFixed(2)} seconds`;
      kill();
      settle({ error: { errorType: "Sandbox.Timedout", errorMessage } });
    }, seconds * 1000);
  };
  const deliver = (): void => {
    if (pending === undefined || pending.delivered || asking === undefined) return;
    const { id, functionArn, payload } = pending.call;
    pending.delivered = true;
    limit(timeoutSeconds, "Task");
    asking.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(payload),
      "lambda-runtime-aws-request-id": id,
      "lambda-runtime-deadline-ms": String(clock.now().getTime() + timeoutSeconds * 1000),
      "lambda-runtime-invoked-function-arn": functionArn,
      "lambda-runtime-trace-id": `Root=1-00000000-${id.replaceAll("-", "").slice(0, 24)};Sampled=0`,
    });
    asking.end(payload);
    asking = undefined;
  };
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [known, init, id, what] = paths.exec(request.url ?? "") ?? [];
    if (known === undefined) return sendJson(response, 404, { errorMessage: "not of the Runtime API" });
    if (init === undefined && id === undefined) {
      asking = response;
      return deliver();
    }
    const body = await readBody(request, largestAnswer);
    sendJson(response, body === undefined ? 413 : 202, { status: "OK" });
    const error = body === undefined ? tooLarge : what === "response" ? undefined : functionError(body);
    if (init !== undefined) initError = error;
    else if (pending?.call.id === id) settle(error === undefined ? { payload: String(body) } : { error });
  };

  const server = await startLoopback(respond);
  const child = spawnClient(options, server.url);
  const kill = (): void => {
    usable = false;
    child.kill("SIGKILL");
  };
  const end = async (): Promise<void> => {
    const reason = await ended(child);
    usable = false;
    const errorMessage = `RequestId: ${pending?.call.id} Error: Runtime exited with error: ${reason}`;
    settle({ error: initError ?? { errorType: "Runtime.ExitError", errorMessage } });
    await server.close();
  };
  const gone = end();
  return {
    get pid() {
      return child.pid;
    },
    get usable() {
      return usable;
    },
    gone,
    kill,
    call: (call) =>
      new Promise((resolve) => {
        pending = { call, settle: resolve, delivered: false };
        if (!usable) return settle({ error: initError ?? { errorType: "Runtime.ExitError", errorMessage: "it has ended" } });
        limit(startSeconds, "Init");
        deliver();
      }),
  };
}

const tooLarge: FunctionError = {
  errorType: "Function.ResponseSizeTooLarge",
  errorMessage: `Response payload size exceeded maximum allowed payload size (${largestAnswer} bytes).`,
};

function functionError(body: Buffer | undefined): FunctionError {
  return JSON.parse(String(body)) as FunctionError;
}

function spawnClient({ client, folder, handler, variables, onLine }: EnvironmentOptions, api: string): ChildProcess {
  const child = spawn(process.execPath, [client, handler], {
    cwd: folder,
    env: {
      ...variables,
      AWS_LAMBDA_RUNTIME_API: new URL(api).host,
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output !== null) createInterface({ input: output }).on("line", onLine);
  }
  return child;
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit status ${code}` : `signal: ${signal}`));
    child.once("error", (error) => resolve(error.message));
  });
}
