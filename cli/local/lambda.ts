import { randomUUID } from "node:crypto";
import { devNull } from "node:os";
import { DriftlessError } from "../../lib/errors.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import { type Checkpoint, type CheckpointVerdict, createDurableEngine } from "./durable.ts";
import type { ExecutionSummary } from "./execution.ts";
import type { InvokeFunction, Outcome } from "./invocation.ts";
import { createLambdaApi } from "./lambda-api.ts";
import { startLoopback } from "./loopback.ts";
import { createWorker, type Worker, type WorkerDeps } from "./worker.ts";

export interface LocalFunction {
  /** Absolute path of the module that exports `handler`. */
  readonly module: string;
  /** True for a handler made by withDurableExecution. */
  readonly durable?: boolean;
  /** Of one invocation; when it is over the child process is killed, as Lambda ends the environment. */
  readonly timeoutSeconds: number;
}

export interface LocalLambdaOptions {
  readonly functions: Readonly<Record<string, LocalFunction>>;
  /** All that the functions find in process.env, but for region, dummy credentials and the endpoint of this Lambda, which are added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  /** A line that the functions wrote; to standard output when absent. */
  readonly onLine?: (line: string) => void;
  /** Factor for the waits and retry delays of durable executions and of asynchronous calls; 1 is real time. */
  readonly timeScale?: number;
  /** Sees each checkpoint before it is saved, and may have the child process killed at it. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => CheckpointVerdict | void;
  /** Runs the invocations; one child process that imports the functions' modules when absent. */
  readonly startWorker?: (deps: WorkerDeps) => Worker;
  readonly port?: number;
  readonly clock?: Clock;
}

/** Stands for AWS Lambda; clients find it by AWS_ENDPOINT_URL_LAMBDA. */
export interface LocalLambda {
  readonly endpoint: string;
  /** Calls a function and waits for it; a durable one is waited for to its end. */
  readonly invoke: InvokeFunction;
  /** Ends the child process the hard way; the next one starts by itself. */
  kill(): void;
  /** Of the child process that runs the functions. */
  readonly pid: number | undefined;
  executions(): readonly ExecutionSummary[];
  close(): Promise<void>;
}

const mostRetries = 2;

/** Runs the functions in one child process and serves the Lambda API for them. */
export async function startLambda(options: LocalLambdaOptions): Promise<LocalLambda> {
  const {
    functions,
    log,
    timeScale = 1,
    clock = systemClock,
    startWorker = createWorker,
    onCheckpoint = () => undefined,
  } = options;
  const retries = new Set<NodeJS.Timeout>();
  let closed = false;

  const run = async (functionName: string, payload: string, qualifier = "$LATEST"): Promise<Outcome> => {
    const { module, timeoutSeconds } = functionOf(functions, functionName);
    const functionArn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}:${qualifier}`;
    return worker.run({ id: randomUUID(), functionName, functionArn, module, timeoutSeconds, payload });
  };
  const runLater = async (functionName: string, payload: string, retry = 0): Promise<void> => {
    const outcome = await run(functionName, payload);
    if (closed || "payload" in outcome) return;
    const { errorMessage: error } = outcome.error;
    log.warn(retry < mostRetries ? "lambda.event-failed" : "lambda.event-dropped", { functionName, retry, error });
    if (retry >= mostRetries) return;
    const timer = setTimeout(
      () => {
        retries.delete(timer);
        void runLater(functionName, payload, retry + 1);
      },
      (retry + 1) * 1000 * timeScale,
    );
    retries.add(timer);
  };
  const engine = createDurableEngine({
    invoke: run,
    kill: () => worker.kill(),
    log,
    clock,
    timeScale,
    onCheckpoint,
  });
  const runDurable = async (arn: string): Promise<Outcome> => {
    const { status, result = "null", error, name } = (await engine.finished(arn)) ?? unfinished;
    if (status === "SUCCEEDED") return { payload: result };
    const { ErrorType: errorType = "Error", ErrorMessage: errorMessage = `Execution ${name} did not finish.` } = error ?? {};
    return { error: { errorType, errorMessage } };
  };

  const api = createLambdaApi({ functions, engine, run, runLater, runDurable });
  const server = await startLoopback(api, { port: options.port ?? 0 });
  const worker = startWorker({
    environment: { ...defaults, ...options.environment, AWS_ENDPOINT_URL_LAMBDA: server.url },
    log,
    clock,
    onLine: options.onLine ?? ((line) => void process.stdout.write(`${line}\n`)),
  });

  return {
    endpoint: server.url,
    async invoke(functionName, payload) {
      const input = JSON.stringify(payload) ?? "{}";
      const { durable = false } = functionOf(functions, functionName);
      const started = durable ? engine.start({ functionName, qualifier: "$LATEST", name: randomUUID(), input }) : undefined;
      const outcome = started !== undefined && "arn" in started ? await runDurable(started.arn) : await run(functionName, input);
      return "error" in outcome ? outcome : { payload: JSON.parse(outcome.payload) as unknown };
    },
    kill: () => worker.kill(),
    get pid() {
      return worker.pid;
    },
    executions: () => engine.executions(),
    async close() {
      closed = true;
      for (const timer of retries) clearTimeout(timer);
      engine.close();
      await worker.close();
      await server.close();
    },
  };
}

/** The user's own AWS set-up must not reach the functions: what is not given here does not exist for them. */
const defaults = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: "true",
};

const unfinished = { status: "RUNNING", name: "unknown", result: undefined, error: undefined } as const;

function functionOf(functions: Readonly<Record<string, LocalFunction>>, name: string): LocalFunction {
  const found = functions[name];
  if (found === undefined)
    throw new DriftlessError("not-found", `No function is named ${name}: ${Object.keys(functions).join(", ")}`);
  return found;
}
