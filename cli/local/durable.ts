import type { ErrorObject, Operation, OperationUpdate } from "@aws-sdk/client-lambda";
import type { Clock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import {
  alreadyStarted,
  answerCheckpoint,
  beginInvocation,
  type CheckpointAnswer,
  type CheckpointRequest,
  clearTimer,
  createExecution,
  type Execution,
  type ExecutionSummary,
  end,
  isRepeat,
  pageOf,
  retryTimer,
  type StartRequest,
  setTimer,
  unknownExecution,
  whyRefused,
} from "./execution.ts";
import type { FunctionError, Outcome } from "./invocation.ts";
import { applyUpdates, type Refusal, wakeOperation, wakeTime } from "./operations.ts";

export interface Checkpoint {
  readonly execution: ExecutionSummary;
  readonly updates: readonly OperationUpdate[];
  /** 1 for the first checkpoint of any execution since the start. */
  readonly count: number;
}

/** `kill`: saved, and the worker killed before it hears so; `lose`: the worker killed before anything is saved. */
export type CheckpointVerdict = "kill" | "lose" | undefined;

export interface DurableDeps {
  readonly invoke: (functionName: string, event: string) => Promise<Outcome>;
  /** Ends the worker the hard way. */
  readonly kill: () => void;
  readonly log: Log;
  readonly clock: Clock;
  /** Factor for waits and retry delays. */
  readonly timeScale: number;
  readonly onCheckpoint: (checkpoint: Checkpoint) => CheckpointVerdict | void;
}

export interface StateRequest {
  readonly token: string;
  readonly start: number;
  readonly size: number;
}

/** The service that durable functions talk to: executions, their operations, and the calls that drive them on. */
export interface DurableEngine {
  /** The same name and input again is the same execution; another input is refused. */
  start(request: StartRequest): { readonly arn: string } | { readonly refusal: Refusal };
  checkpoint(arn: string, request: CheckpointRequest): CheckpointAnswer | { readonly refusal: Refusal } | "killed";
  /** A page of all operations so far. */
  state(arn: string, request: StateRequest): ReturnType<typeof pageOf> | { readonly refusal: Refusal };
  /** Resolves when the execution has ended, or the engine is closed; undefined for an unknown one. */
  finished(arn: string): Promise<ExecutionSummary | undefined>;
  executions(): readonly ExecutionSummary[];
  close(): void;
}

const mostFailures = 10;

export function createDurableEngine(deps: DurableDeps): DurableEngine {
  const executions = new Map<string, Execution>();
  const names = new Map<string, Execution>();
  let checkpoints = 0;
  let closed = false;

  const drive = async (execution: Execution): Promise<void> => {
    if (closed || execution.token !== undefined || execution.summary.status !== "RUNNING") return;
    const event = beginInvocation(execution);
    const before = execution.summary.checkpoints;
    const outcome = await deps.invoke(execution.request.functionName, event);
    execution.token = undefined;
    execution.summary = { ...execution.summary, active: false };
    if (closed || execution.summary.status !== "RUNNING") return;
    if ("error" in outcome) {
      if (execution.summary.checkpoints > before) execution.failures = 0;
      retryInvocation(execution, outcome.error);
    } else {
      execution.failures = 0;
      conclude(execution, outcome.payload);
    }
  };

  const retryInvocation = (execution: Execution, error: FunctionError): void => {
    execution.failures += 1;
    const { arn, failures } = execution;
    deps.log.warn("lambda.execution-interrupted", { arn, failures, error: error.errorMessage });
    if (failures > mostFailures) {
      end(execution, { status: "FAILED", error: { ErrorType: error.errorType, ErrorMessage: error.errorMessage } });
      return;
    }
    const delayMs = failures === 1 ? 0 : Math.min(50 * 2 ** failures, 5_000) * deps.timeScale;
    setTimer(execution, retryTimer, delayMs, () => void drive(execution));
  };

  const conclude = (execution: Execution, payload: string): void => {
    const output = JSON.parse(payload) as { Status?: string; Result?: string; Error?: ErrorObject } | null;
    if (output?.Status === "SUCCEEDED") {
      end(execution, { status: "SUCCEEDED", ...(output.Result === undefined ? {} : { result: output.Result }) });
    } else if (output?.Status === "FAILED") {
      end(execution, { status: "FAILED", error: output.Error ?? { ErrorMessage: "The function gave no error." } });
    } else if (output?.Status !== "PENDING") {
      end(execution, invalidOutput("Invalid Status in invocation output: is the handler wrapped by withDurableExecution?"));
    } else if (execution.woken) {
      void drive(execution);
    } else if (execution.timers.size === 0) {
      end(execution, invalidOutput("Cannot return PENDING status with no pending operations."));
    }
  };

  const wake = (execution: Execution, id: string): void => {
    const operation = execution.operations.get(id);
    const at = operation === undefined ? undefined : wakeTime(operation);
    if (operation === undefined || at === undefined) return;
    const now = deps.clock.now();
    if (at > now) {
      setTimer(execution, id, at.getTime() - now.getTime(), () => wake(execution, id));
      return;
    }
    clearTimer(execution, id);
    execution.operations.set(id, wakeOperation(operation, now));
    execution.unheard.add(id);
    execution.woken = true;
    void drive(execution);
  };

  const save = (execution: Execution, changed: ReadonlyMap<string, Operation>): void => {
    for (const [id, operation] of changed) {
      execution.operations.set(id, operation);
      execution.unheard.add(id);
      if (wakeTime(operation) !== undefined) wake(execution, id);
    }
  };

  const checkpoint: DurableEngine["checkpoint"] = (arn, request) => {
    const execution = executions.get(arn);
    const refusal = whyRefused(execution, arn, request.CheckpointToken);
    if (execution?.last !== undefined && isRepeat(execution.last, request)) return execution.last.answer;
    if (refusal !== undefined || execution === undefined) return { refusal: refusal ?? unknownExecution(arn) };
    const updates = request.Updates ?? [];
    const verdict = updates.length === 0 ? undefined : announce(execution, updates);
    if (verdict === "lose") return killed();
    // A copy: waking one that is not due sets its timer anew.
    for (const id of Array.from(execution.timers.keys())) wake(execution, id);
    const applied = applyUpdates(execution.operations, updates, { now: deps.clock.now(), timeScale: deps.timeScale });
    if ("refusal" in applied) return applied;
    save(execution, applied.changed);
    endByUpdate(execution, updates);
    if (verdict === "kill") return killed();
    return answerCheckpoint(execution, request);
  };

  const announce = (execution: Execution, updates: readonly OperationUpdate[]): CheckpointVerdict => {
    checkpoints += 1;
    execution.summary = { ...execution.summary, checkpoints: execution.summary.checkpoints + 1 };
    return deps.onCheckpoint({ execution: execution.summary, updates, count: checkpoints }) ?? undefined;
  };

  const killed = (): "killed" => {
    deps.kill();
    return "killed";
  };

  return {
    start(request) {
      const key = `${request.functionName}/${request.name}`;
      const known = names.get(key);
      if (known !== undefined) {
        return known.request.input === request.input ? { arn: known.arn } : { refusal: alreadyStarted(request.name) };
      }
      const execution = createExecution(request, deps.clock.now());
      executions.set(execution.arn, execution);
      names.set(key, execution);
      void drive(execution);
      return { arn: execution.arn };
    },
    checkpoint,
    state(arn, { token, ...page }) {
      const execution = executions.get(arn);
      const refusal = whyRefused(execution, arn, token);
      if (refusal !== undefined || execution === undefined) return { refusal: refusal ?? unknownExecution(arn) };
      return pageOf(execution, page);
    },
    async finished(arn) {
      const execution = executions.get(arn);
      await execution?.ended.promise;
      return execution?.summary;
    },
    executions: () => [...executions.values()].map(({ summary }) => summary),
    close() {
      closed = true;
      for (const execution of executions.values()) {
        for (const id of execution.timers.keys()) clearTimer(execution, id);
        execution.ended.resolve();
      }
    },
  };
}

/** A result too large for the answer comes as an update of the execution itself. */
function endByUpdate(execution: Execution, updates: readonly OperationUpdate[]): void {
  const last = updates.find((update) => update.Type === "EXECUTION");
  if (last?.Action === "SUCCEED")
    end(execution, { status: "SUCCEEDED", ...(last.Payload === undefined ? {} : { result: last.Payload }) });
  if (last?.Action === "FAIL")
    end(execution, { status: "FAILED", error: last.Error ?? { ErrorMessage: "The function gave no error." } });
}

function invalidOutput(message: string): Partial<ExecutionSummary> {
  return { status: "FAILED", error: { ErrorType: "InvalidParameterValueException", ErrorMessage: message } };
}
