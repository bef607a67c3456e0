import type { Health, HealthStatus } from "../model/health.ts";
import { isJsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import {
  type Condition,
  conditionsIn,
  conditionsOf,
  health,
  healthy,
  numberAt,
  objectsAt,
  textAt,
  valueAt,
  wordsOf,
} from "./read.ts";
import { assessByStatusWords, meaningOf } from "./status-words.ts";

/** Conditions that are bad when True, whatever the object is. */
const faultTypes =
  /^(Stalled|Degraded|Terminal|HasErrors|Failing|Invalid.*|Conflicted|.*(Error|Errors|Errored|ErrorOccurred|Failed|Failure|Unhealthy))$/;
/** The opposite of ready; the reason tells whether it is a fault. */
const unreadyTypes = /^(NotReady|PartiallyReady)$/;
/** Conditions that are good when True and say something of the whole object. */
const readyTypes =
  /^(Ready|Available|Healthy|Succeeded|Successful|Complete|Completed|Established|Programmed|Accepted|Admitted|Valid|Reconciled|Deployed|Installed|Initialized|ResolvedRefs|.+(Ready|Available|Healthy))$/;
const partTypes = /.(Ready|Available|Healthy|ready|available|healthy)$/;
/** Conditions by which a controller says whether it could bring the world in line; they count beside Ready. */
const syncedTypes = /(Synced|Synchronized|Applied|ReconcileSuccess)$/;
/** Conditions that mean "at work" when True, unless the object is ready all the same. */
const workTypes = /^(Progressing|In-?progress|Pending|Creating|Updating|Upgrading|RollingUpdate|Provisioning|Deleting|Issuing)$/i;
const pauseTypes = /^(Suspended|Paused|Stopped|Waiting|Hibernat(ed|ing|ion))$/;

/**
 * Kinds without an assessor of their own: as kstatus has it (Reconciling, Stalled, Ready), and by what controllers
 * that don't follow it agree on. Undefined when nothing in the object speaks for or against it: many kinds have no status.
 */
export function assessByConditions(live: Manifest): Health | undefined {
  const pause = pauseOf(live);
  if (pause !== undefined) return health("Suspended", pause);
  const conditions = conditionsOf(live).map(named);
  return (
    byMarks(live, conditions) ??
    byReadiness(live, conditions) ??
    byReasons(conditions) ??
    byParts(live) ??
    byError(live) ??
    assessUnfavourably(live) ??
    byReplicas(live) ??
    byWork(conditions) ??
    byEvidence(live, conditions)
  );
}

/** By what a user asked for: `spec.suspend`, `spec.paused`, an annotation `example.com/paused: "true"`. */
function pauseOf(live: Manifest): string | undefined {
  const names = ["paused", "pause", "suspend", "suspended"].filter((name) => valueAt(live, "spec", name) === true);
  if (names.length > 0) return names[0]?.startsWith("pause") === true ? "it is paused" : "it is suspended";
  const annotation = Object.entries(live.metadata.annotations ?? {}).find(
    ([name, value]) => /\/(paused?|suspend(ed)?)$/.test(name) && value === "true",
  );
  return annotation === undefined ? undefined : `it is paused by the annotation ${annotation[0]}`;
}

type Named = Condition & { readonly name: string };

/** Without the prefix that some controllers give their types: `ACK.ResourceSynced`, `example.com/app-ready`. */
function named(condition: Condition): Named {
  return { ...condition, name: condition.type.replace(/^.*[./]/, "") };
}

/** What one condition decides by being True. */
function byMarks(live: Manifest, conditions: readonly Named[]): Health | undefined {
  const find = (pattern: RegExp) => conditions.find(({ name, status }) => status === "True" && pattern.test(name));
  const fault =
    find(faultTypes) ?? conditions.find(({ reason }) => reason === "ProgressDeadlineExceeded") ?? conditions.find(isFailedEnd);
  if (fault !== undefined) return health("Degraded", wordsOf(fault));
  const pause = find(pauseTypes) ?? conditions.find(({ reason }) => reason === "ReconcilePaused");
  if (pause !== undefined) return health("Suspended", wordsOf(pause));
  const work = find(/^Reconciling$/) ?? conditions.find((condition) => isOld(live, condition));
  if (work !== undefined) return health("Progressing", wordsOf(work));
  const unready = find(unreadyTypes);
  const isReady = conditions.some(({ name, status }) => name === "Ready" && status === "True");
  if (unready === undefined || isReady) return undefined;
  return health(meaningOf(unready.reason) === "Progressing" ? "Progressing" : "Degraded", wordsOf(unready));
}

/** Some jobs are complete when they have failed, too. */
function isFailedEnd({ name, status, reason }: Named): boolean {
  return /^Completed?$/.test(name) && status === "True" && /^(.*Failed|Error)$/.test(reason);
}

/** What is said of an object while one of its conditions was set for an older spec; undefined when none was. */
export function assessOldConditions(live: Manifest): Health | undefined {
  const old = conditionsOf(live)
    .map(named)
    .find((condition) => isOld(live, condition));
  return old === undefined ? undefined : health("Progressing", wordsOf(old));
}

/** A condition that was set for an older spec says nothing of this one. */
function isOld({ metadata }: Manifest, { name, observedGeneration }: Named): boolean {
  return readyTypes.test(name) && observedGeneration !== undefined && observedGeneration < (metadata.generation ?? 0);
}

/** What the conditions decide that are good when True. A `Ready` sums up its like; without it each counts. */
function byReadiness(live: Manifest, conditions: readonly Named[]): Health | undefined {
  const ready = conditions.filter(({ name }) => name === "Ready");
  const summary = ready.length > 0 ? ready : conditions.filter(({ name }) => readyTypes.test(name));
  const counted = [...summary, ...conditions.filter(({ name }) => syncedTypes.test(name))].filter(
    ({ status }) => status !== "True",
  );
  const others = { words: assessByStatusWords(live)?.status, isFaulty: faultByReason(conditions) !== undefined };
  const verdicts = counted.flatMap((condition) => {
    const status = meaningOfUnready(others, condition, partTypes.test(condition.name));
    return status === undefined ? [] : [health(status, wordsOf(condition))];
  });
  return worstOf(verdicts) ?? (ready.length > 0 ? healthy : undefined);
}

function worstOf(verdicts: readonly Health[]): Health | undefined {
  const find = (wanted: HealthStatus) => verdicts.find(({ status }) => status === wanted);
  return find("Degraded") ?? find("Suspended") ?? find("Progressing") ?? verdicts[0];
}

/** A condition that is not True, and why it is not speaks of a fault. */
function faultByReason(conditions: readonly Named[]): Named | undefined {
  return conditions.find(
    ({ name, status, reason }) =>
      status === "False" && !faultTypes.test(name) && !workTypes.test(name) && meaningOf(reason) === "Degraded",
  );
}

/**
 * Not ready for a reason that speaks of work is Progressing, for any other Degraded, unless the object's own words know better.
 * What is said of one part only (`AllReplicasReady`) is Degraded by a reason that speaks of a fault alone.
 */
function meaningOfUnready(
  { words, isFaulty }: { readonly words: HealthStatus | undefined; readonly isFaulty: boolean },
  { status, reason, message }: Condition,
  isPart: boolean,
): "Progressing" | "Degraded" | "Suspended" | undefined {
  if (isPart && words === "Healthy") return undefined;
  if (status !== "False") return words === "Degraded" ? "Degraded" : "Progressing";
  const told = reason === "" ? message : reason;
  const meaning = meaningOf(told);
  if (meaning === "Degraded") return "Degraded";
  if (meaning === "Progressing" || /running$/i.test(reason)) return "Progressing";
  if (words === "Suspended" || words === "Degraded") return words;
  if (told === "" && isFaulty) return "Degraded";
  return words === "Progressing" || told === "" || isPart ? "Progressing" : "Degraded";
}

/** Conditions that nobody else has: where none sums up the object, a reason of fault or work speaks for itself. */
function byReasons(conditions: readonly Named[]): Health | undefined {
  if (conditions.some(({ name }) => readyTypes.test(name))) return undefined;
  const fault = faultByReason(conditions);
  if (fault !== undefined) return health("Degraded", wordsOf(fault));
  const work = conditions.find(
    ({ name, status, reason }) =>
      status !== "True" && !faultTypes.test(name) && !workTypes.test(name) && meaningOf(reason) === "Progressing",
  );
  return work === undefined ? undefined : health("Progressing", wordsOf(work));
}

/** Where a status has its conditions when it speaks of several parents, or of one part: Gateway API, routes, wrapped statuses. */
const parts = ["parents", "ancestors", "ingress", "listeners", "controllers", "conditionedStatus", "podStatus"];

/** By the conditions of what the object is attached to: the worst of them. */
function byParts(live: Manifest): Health | undefined {
  const all = parts.flatMap((part) => {
    const value = valueAt(live, "status", part);
    return isJsonObject(value) ? [value] : objectsAt(live, "status", part);
  });
  const verdicts = all.flatMap((part) => {
    const conditions = conditionsIn(part).map(named);
    const verdict = byMarks(live, conditions) ?? byReadiness(live, conditions) ?? byEvidence(live, conditions);
    return verdict === undefined ? [] : [verdict];
  });
  return worstOf(verdicts);
}

/** A status that carries an error, and no condition that outweighs it. */
function byError(live: Manifest): Health | undefined {
  for (const name of ["error", "errorMessage", "errMsg", "failureMessage", "failureReason"]) {
    const text = textAt(live, "status", name);
    if (text !== "" && !/^(none|null|nil)$/i.test(text)) return health("Degraded", text);
  }
  const message = textAt(live, "status", "error", "message");
  return message === "" ? undefined : health("Degraded", message);
}

function assessUnfavourably(live: Manifest): Health | undefined {
  const words = assessByStatusWords(live);
  return words?.status === "Healthy" ? undefined : words;
}

/** Kinds that scale tell how many of their replicas are ready. */
function byReplicas(live: Manifest): Health | undefined {
  const wanted = numberAt(live, "spec", "replicas") ?? numberAt(live, "status", "replicas");
  const ready = numberAt(live, "status", "readyReplicas") ?? numberAt(live, "status", "availableReplicas");
  if (wanted === undefined || ready === undefined || ready >= wanted) return undefined;
  return health("Progressing", `${ready} of ${wanted} replicas are ready`);
}

function byWork(conditions: readonly Named[]): Health | undefined {
  const work = conditions.find(
    ({ name, status, reason }) => status === "True" && workTypes.test(name) && reason !== "NewReplicaSetAvailable",
  );
  return work === undefined ? undefined : health("Progressing", wordsOf(work));
}

/** Healthy by a condition or a word that is good; Progressing when the controller keeps conditions and has set none yet. */
function byEvidence(live: Manifest, conditions: readonly Named[]): Health | undefined {
  const good = conditions.some(({ name, status }) => status === "True" && (readyTypes.test(name) || syncedTypes.test(name)));
  if (good || assessByStatusWords(live)?.status === "Healthy") return healthy;
  const list = valueAt(live, "status", "conditions");
  if (Array.isArray(list) && list.length === 0) return health("Progressing", "its controller has set no condition yet");
  const ready = numberAt(live, "status", "readyReplicas") ?? numberAt(live, "status", "availableReplicas");
  return ready === undefined ? undefined : healthy;
}
