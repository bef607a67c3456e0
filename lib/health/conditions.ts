import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { type Condition, conditionsOf, health, healthy, numberAt, valueAt, wordsOf } from "./read.ts";
import { assessByStatusWords, meaningOf } from "./status-words.ts";

/** Conditions that are bad when True, whatever the object is. */
const faultTypes = /^(Stalled|Degraded|Terminal|HasErrors|Failing|Invalid.*|.*(Error|Errored|Failed|Failure|Unhealthy))$/;
/** The opposite of ready; the reason tells whether it is a fault. */
const unreadyTypes = /^(NotReady|PartiallyReady)$/;
/** Conditions that are good when True and say something of the whole object. */
const readyTypes = /^(Ready|Available|Healthy|Succeeded|Complete|Completed|Established|Programmed|Accepted|Valid|ResolvedRefs)$/;
/** Conditions by which a controller says whether it could bring the world in line; they count beside Ready. */
const syncedTypes = /(Synced|Synchronized|Applied|ReconcileSuccess)$/;
/** Conditions that mean "at work" when True, unless the object is ready all the same. */
const workTypes = /^(Progressing|In-?progress|Pending|Creating|Updating|Upgrading|RollingUpdate|Provisioning|Deleting)$/i;
const pauseTypes = /^(Suspended|Paused|Stopped|Waiting)$/;

/**
 * Kinds without an assessor of their own: as kstatus has it (Reconciling, Stalled, Ready), and by what controllers
 * that don't follow it agree on. Healthy when nothing speaks against it, and so without a status too: many kinds have none.
 */
export function assessByConditions(live: Manifest): Health {
  if (valueAt(live, "spec", "paused") === true) return health("Suspended", "it is paused");
  if (valueAt(live, "spec", "suspend") === true) return health("Suspended", "it is suspended");
  const conditions = conditionsOf(live).map((condition) => ({ ...condition, name: shortName(condition.type) }));
  return byMarks(live, conditions) ?? byReadiness(live, conditions) ?? assessByStatusWords(live) ?? byReplicas(live) ?? healthy;
}

type Named = Condition & { readonly name: string };

/** Without the prefix that some controllers give their types: `ACK.ResourceSynced`, `example.com/app-ready`. */
function shortName(type: string): string {
  return type.replace(/^.*[./]/, "");
}

/** What one condition decides by being True. */
function byMarks(live: Manifest, conditions: readonly Named[]): Health | undefined {
  const find = (pattern: RegExp) => conditions.find(({ name, status }) => status === "True" && pattern.test(name));
  const fault = find(faultTypes) ?? conditions.find(({ reason }) => reason === "ProgressDeadlineExceeded");
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
  const verdicts = counted.map((condition) => ({ condition, status: meaningOfUnready(live, condition) }));
  const worst = verdicts.find(({ status }) => status === "Degraded") ?? verdicts[0];
  if (worst !== undefined) return health(worst.status, wordsOf(worst.condition));
  if (ready.length > 0) return healthy;
  const work = conditions.find(
    ({ name, status, reason }) => status === "True" && workTypes.test(name) && reason !== "NewReplicaSetAvailable",
  );
  return work === undefined ? undefined : health("Progressing", wordsOf(work));
}

/** Not ready for a reason that speaks of work is Progressing, for any other reason Degraded; without a reason other words decide. */
function meaningOfUnready(live: Manifest, { status, reason }: Condition): "Progressing" | "Degraded" {
  if (status !== "False") return "Progressing";
  if (reason === "") return assessByStatusWords(live)?.status === "Degraded" ? "Degraded" : "Progressing";
  return meaningOf(reason) === "Progressing" ? "Progressing" : "Degraded";
}

/** Kinds that scale tell how many of their replicas are ready. */
function byReplicas(live: Manifest): Health | undefined {
  const wanted = numberAt(live, "spec", "replicas") ?? numberAt(live, "status", "replicas");
  const ready = numberAt(live, "status", "readyReplicas");
  if (wanted === undefined || ready === undefined || ready >= wanted) return undefined;
  return health("Progressing", `${ready} of ${wanted} replicas are ready`);
}
