import type { Operation, OperationAction, OperationStatus, OperationType, OperationUpdate } from "@aws-sdk/client-lambda";

/** An error as the Lambda API gives it. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

export function invalidParameter(message: string): Refusal {
  return { status: 400, type: "InvalidParameterValueException", message };
}

/** The operations of one execution by id, in the order of their start: the execution itself is the first. */
export type Operations = ReadonlyMap<string, Operation>;

interface Moment {
  readonly now: Date;
  /** Factor for waits and retry delays. */
  readonly timeScale: number;
}

/** Which update is taken in which status; `none` is an operation that does not exist yet. */
const taken: Partial<Record<OperationType, Partial<Record<OperationAction, readonly (OperationStatus | "none")[]>>>> = {
  STEP: {
    START: ["none", "READY"],
    SUCCEED: ["none", "STARTED", "READY"],
    FAIL: ["none", "STARTED", "READY"],
    RETRY: ["none", "STARTED", "READY"],
  },
  WAIT: { START: ["none"], CANCEL: ["STARTED"] },
  CONTEXT: { START: ["none"], SUCCEED: ["none", "STARTED"], FAIL: ["none", "STARTED"] },
  EXECUTION: { SUCCEED: ["STARTED"], FAIL: ["STARTED"] },
};

const largestPayload = 1_048_576;

/** The operations that the updates of one checkpoint change: all of them, or a refusal and none. */
export function applyUpdates(
  operations: Operations,
  updates: readonly OperationUpdate[],
  moment: Moment,
): { readonly changed: ReadonlyMap<string, Operation> } | { readonly refusal: Refusal } {
  const changed = new Map<string, Operation>();
  const find = (id: string): Operation | undefined => changed.get(id) ?? operations.get(id);
  const [execution] = operations.values();
  for (const update of updates) {
    // The SDK reports an oversized result under an id of its own.
    const id = update.Type === "EXECUTION" ? execution?.Id : update.Id;
    if (id === undefined) return { refusal: invalidParameter("An operation update needs an Id.") };
    const current = find(id);
    const reason = whyRefused(current, update, find);
    if (reason !== undefined) return { refusal: invalidParameter(reason) };
    changed.set(id, applyUpdate(current ?? started(id, update, moment), update, moment));
  }
  return { changed };
}

/** The operation after its timer rang: a wait is over, a step may try again. */
export function wakeOperation(operation: Operation, now: Date): Operation {
  if (operation.Type === "WAIT") return { ...operation, Status: "SUCCEEDED", EndTimestamp: now };
  return { ...operation, Status: "READY", StepDetails: { ...operation.StepDetails, NextAttemptTimestamp: undefined } };
}

/** When an operation goes on by itself; undefined when it does not wait for a time. */
export function wakeTime(operation: Operation): Date | undefined {
  if (operation.Type === "WAIT" && operation.Status === "STARTED") return operation.WaitDetails?.ScheduledEndTimestamp;
  if (operation.Type === "STEP" && operation.Status === "PENDING") return operation.StepDetails?.NextAttemptTimestamp;
  return undefined;
}

function whyRefused(
  current: Operation | undefined,
  update: OperationUpdate,
  find: (id: string) => Operation | undefined,
): string | undefined {
  const { Type: type = "STEP", Action: action = "START", ParentId: parent } = update;
  const actions = taken[type];
  if (actions === undefined) return `${type} operations are not served locally.`;
  const status = current?.Status ?? "none";
  if (current !== undefined && current.Type !== type) return `Operation ${update.Id} is a ${current.Type}, not a ${type}.`;
  if (actions[action]?.includes(status) !== true) return `Invalid ${type} action ${action} in status ${status}.`;
  if (parent !== undefined && find(parent)?.Type !== "CONTEXT") return "Invalid parent operation id.";
  if (action === "RETRY" && update.StepOptions === undefined) return "Invalid StepOptions for the given action.";
  if (type !== "EXECUTION" && Buffer.byteLength(update.Payload ?? "") > largestPayload)
    return `A ${type} payload is limited to 1 MB.`;
  return undefined;
}

function started(id: string, update: OperationUpdate, { now }: Moment): Operation {
  return {
    Id: id,
    ParentId: update.ParentId,
    Name: update.Name,
    Type: update.Type,
    SubType: update.SubType,
    StartTimestamp: now,
    Status: "STARTED",
  };
}

function applyUpdate(operation: Operation, update: OperationUpdate, moment: Moment): Operation {
  const detailed = { ...operation, ...details(operation, update, moment) };
  switch (update.Action) {
    case "SUCCEED":
      return { ...detailed, Status: "SUCCEEDED", EndTimestamp: moment.now };
    case "FAIL":
      return { ...detailed, Status: "FAILED", EndTimestamp: moment.now };
    case "CANCEL":
      return { ...detailed, Status: "CANCELLED", EndTimestamp: moment.now };
    case "RETRY":
      return { ...detailed, Status: "PENDING" };
    case "START":
    case undefined:
      return { ...detailed, Status: "STARTED" };
    default:
      return update.Action satisfies never;
  }
}

function details(operation: Operation, update: OperationUpdate, moment: Moment): Partial<Operation> {
  const { Payload: Result, Error } = update;
  switch (operation.Type) {
    case "STEP": {
      const attempts = operation.StepDetails?.Attempt ?? 0;
      if (update.Action === "START") return { StepDetails: { ...operation.StepDetails } };
      if (update.Action !== "RETRY") return { StepDetails: { ...operation.StepDetails, Result, Error } };
      const NextAttemptTimestamp = later(moment, update.StepOptions?.NextAttemptDelaySeconds ?? 0);
      return { StepDetails: { Attempt: attempts + 1, Result, Error, NextAttemptTimestamp } };
    }
    case "WAIT":
      if (update.Action !== "START") return {};
      return { WaitDetails: { ScheduledEndTimestamp: later(moment, update.WaitOptions?.WaitSeconds ?? 0) } };
    case "CONTEXT": {
      const ReplayChildren = update.ContextOptions?.ReplayChildren ?? operation.ContextDetails?.ReplayChildren;
      return { ContextDetails: { ReplayChildren, Result, Error } };
    }
    case "EXECUTION":
    case "CALLBACK":
    case "CHAINED_INVOKE":
    case undefined:
      return {};
    default:
      return operation.Type satisfies never;
  }
}

function later({ now, timeScale }: Moment, seconds: number): Date {
  return new Date(now.getTime() + Math.ceil(seconds * 1000 * timeScale));
}
