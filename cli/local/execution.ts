import { randomUUID } from "node:crypto";
import type { ErrorObject, Operation, OperationUpdate } from "@aws-sdk/client-lambda";
import { invalidParameter, type Refusal } from "./operations.ts";

export interface ExecutionSummary {
  readonly arn: string;
  readonly name: string;
  readonly functionName: string;
  readonly status: "RUNNING" | "SUCCEEDED" | "FAILED";
  /** True while an invocation of it runs; false in a wait. */
  readonly active: boolean;
  /** How often the function was called for it, crashes included. */
  readonly invocations: number;
  /** How many checkpoints with updates it has made. */
  readonly checkpoints: number;
  /** JSON text. */
  readonly result?: string;
  readonly error?: ErrorObject;
}

export interface StartRequest {
  readonly functionName: string;
  readonly qualifier: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
}

export interface CheckpointRequest {
  readonly CheckpointToken?: string;
  readonly ClientToken?: string;
  readonly Updates?: readonly OperationUpdate[];
}

export interface CheckpointAnswer {
  readonly token: string;
  readonly changed: readonly Operation[];
}

/** One durable execution, in memory. */
export interface Execution {
  readonly arn: string;
  readonly request: StartRequest;
  readonly operations: Map<string, Operation>;
  readonly timers: Map<string, NodeJS.Timeout>;
  /** What changed since the function last heard. */
  readonly unheard: Set<string>;
  readonly ended: PromiseWithResolvers<void>;
  summary: ExecutionSummary;
  /** The one token a checkpoint is taken with; none while no invocation runs, so a left-over one can change nothing. */
  token: string | undefined;
  last: { readonly clientToken: string; readonly consumed: string; readonly answer: CheckpointAnswer } | undefined;
  /** A timer rang during the invocation. */
  woken: boolean;
  /** Invocations in a row that failed without a checkpoint. */
  failures: number;
}

/** More operations than this come by GetDurableExecutionState, as with long histories on AWS. */
const initialPage = 250;
const longestTimer = 2 ** 31 - 1;
/** The timer of the next call after one that failed; all others bear the id of their operation. */
export const retryTimer = "invocation";

export function createExecution(request: StartRequest, now: Date): Execution {
  const { functionName, qualifier, name } = request;
  const id = randomUUID();
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}:${qualifier}/durable-execution/${name}/${id}`;
  const root: Operation = {
    Id: id,
    Name: name,
    Type: "EXECUTION",
    Status: "STARTED",
    StartTimestamp: now,
    ExecutionDetails: { InputPayload: request.input },
  };
  return {
    arn,
    request,
    operations: new Map([[id, root]]),
    timers: new Map(),
    unheard: new Set(),
    ended: Promise.withResolvers<void>(),
    summary: { arn, name, functionName, status: "RUNNING", active: false, invocations: 0, checkpoints: 0 },
    token: undefined,
    last: undefined,
    woken: false,
    failures: 0,
  };
}

/** The event of the next invocation, whose token makes those of all earlier ones stale. */
export function beginInvocation(execution: Execution): string {
  clearTimer(execution, retryTimer);
  execution.token = randomUUID();
  execution.last = undefined;
  execution.woken = false;
  execution.summary = { ...execution.summary, active: true, invocations: execution.summary.invocations + 1 };
  const UpdatedOperationIds = [...execution.unheard];
  execution.unheard.clear();
  return JSON.stringify({
    DurableExecutionArn: execution.arn,
    CheckpointToken: execution.token,
    UpdatedOperationIds,
    InitialExecutionState: pageOf(execution, { start: 0, size: initialPage }),
  });
}

export function answerCheckpoint(execution: Execution, { ClientToken, CheckpointToken }: CheckpointRequest): CheckpointAnswer {
  const changed = [...execution.unheard].flatMap((id) => execution.operations.get(id) ?? []);
  execution.unheard.clear();
  const token = randomUUID();
  if (execution.token !== undefined) execution.token = token;
  const answer = { token, changed };
  if (ClientToken !== undefined && CheckpointToken !== undefined) {
    execution.last = { clientToken: ClientToken, consumed: CheckpointToken, answer };
  }
  return answer;
}

export function isRepeat(last: NonNullable<Execution["last"]>, { ClientToken, CheckpointToken }: CheckpointRequest): boolean {
  return last.clientToken === ClientToken && last.consumed === CheckpointToken;
}

export function whyRefused(execution: Execution | undefined, arn: string, token: string | undefined): Refusal | undefined {
  if (execution === undefined) return unknownExecution(arn);
  // The SDK knows a stale token by these very words, and ends the invocation instead of the execution.
  if (token === undefined || token !== execution.token) return invalidParameter("Invalid Checkpoint Token");
  return undefined;
}

/** Operations in the order of their start, and where the next page begins. */
export function pageOf(
  execution: Execution,
  { start, size }: { readonly start: number; readonly size: number },
): { readonly Operations: readonly Operation[]; readonly NextMarker?: string } {
  const Operations = [...execution.operations.values()].slice(start, start + size);
  return start + size < execution.operations.size ? { Operations, NextMarker: String(start + size) } : { Operations };
}

/** Ends it for good: its timers and operations go, only the summary stays. */
export function end(execution: Execution, ending: Partial<ExecutionSummary>): void {
  for (const id of execution.timers.keys()) clearTimer(execution, id);
  execution.summary = { ...execution.summary, active: false, ...ending };
  execution.operations.clear();
  execution.token = undefined;
  execution.ended.resolve();
}

export function setTimer(execution: Execution, id: string, delayMs: number, ring: () => void): void {
  clearTimer(execution, id);
  execution.timers.set(id, setTimeout(ring, Math.min(delayMs, longestTimer)));
}

export function clearTimer(execution: Execution, id: string): void {
  clearTimeout(execution.timers.get(id));
  execution.timers.delete(id);
}

export function unknownExecution(arn: string): Refusal {
  return { status: 404, type: "ResourceNotFoundException", message: `Durable execution not found: ${arn}` };
}

export function alreadyStarted(name: string): Refusal {
  const message = `A durable execution named ${name} was already started with another payload.`;
  return { status: 409, type: "DurableExecutionAlreadyStartedException", message };
}
