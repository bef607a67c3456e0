import type { Detected } from "../../drift/detect.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import { driftEvents, healedEvents } from "../../events/drift-events.ts";
import { silentEvents } from "../../events/events.ts";
import type { DriftRow } from "../../model/drift.ts";
import { displayRef, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../model/sync.ts";
import { fingerprintOf } from "../../ownership/fingerprint.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { silentMetrics } from "../../telemetry/metrics.ts";
import { changeState } from "../application-state.ts";
import { createDetect } from "../sweep/sweep-detect.ts";
import { rowKey } from "../sweep/sweep-rows.ts";
import type { Suspect } from "./health-look.ts";
import { openedFor } from "./opened-for.ts";
import { type Disturbance, moved, type Progress, type Work, withNotes } from "./progress.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** How often one object is put right in one sync. */
const mostTimes = 3;

export interface Waiting {
  readonly progress: Progress;
  readonly work: Work;
  readonly suspects: readonly Suspect[];
  readonly batch: SyncBatch;
}

/** What a look at the suspects came to. */
type Finding = { readonly back: Progress } | { readonly work: Work };

/**
 * Drift of what a run waits for is put right at once, by the run's own apply stage, which writes only what differs: what
 * somebody broke may never become healthy, and no sweep touches the application while the run holds it.
 */
export function createWaitDrift(deps: SyncDeps) {
  const { stores, clusters, events = silentEvents, metrics = silentMetrics, clock, log } = deps;
  const detect = createDetect(deps);

  return { putRight, closeRows };

  /** Back to the apply stage where something is to be put right; else the work with what was learned. */
  async function putRight({ progress, work, suspects, batch }: Waiting): Promise<Finding> {
    const fresh = suspects.filter(({ entry, object }) => {
      const known = work.disturbed?.[resourceKey(entry.ref)];
      return known === undefined || (known.times <= mostTimes && known.seen !== signatureOf(object));
    });
    if (fresh.length === 0 || work.path === "failure" || work.desired.snapshot === "") return { work };
    const state = await stores.applications.get(progress.application);
    if (state === undefined || !isStillWanted(state, work)) return { work };
    const detected = await look(fresh, { state, batch });
    if (detected === undefined) return { work };
    const broken = new Map(
      fresh.flatMap(({ entry }) => {
        const rows = healedRows(detected, entry.ref);
        return rows.length === 0 ? [] : [[resourceKey(entry.ref), rows] as const];
      }),
    );
    const disturbed = { ...work.disturbed, ...disturbances(fresh, { work, broken }) };
    const due = [...broken.keys()].filter((key) => (disturbed[key]?.times ?? 0) <= mostTimes);
    const notes = [...broken].flatMap(([key, [row]]) =>
      row === undefined ? [] : [noteOf(row, { all: broken.get(key) ?? [], isLeft: !due.includes(key) })],
    );
    const noted = { ...withNotes(work, notes), disturbed };
    if (due.length === 0) return { work: noted };
    const rows = due.flatMap((key) => broken.get(key) ?? []);
    await openRows(rows, { state, work, batch });
    const step = Math.min(...fresh.flatMap(({ entry }) => (due.includes(resourceKey(entry.ref)) ? [entry.step ?? 0] : [])));
    const next: Work = {
      ...noted,
      phase: "Running",
      // As when a run goes on to its next step.
      lease: { ...work.lease, phase: "applying" },
      step,
      again: { keys: due, through: Math.max(work.step, work.again?.through ?? 0) },
    };
    return { back: moved(progress, "apply", next) };
  }

  /** Undefined when the API server does not tell: the next look asks again. */
  async function look(
    suspects: readonly Suspect[],
    { state, batch }: { readonly state: ApplicationState; readonly batch: SyncBatch },
  ): Promise<Detected | undefined> {
    try {
      const reader = await clusters.reader(batch.cluster, openedFor(batch));
      const live = new Map(
        suspects.flatMap(({ entry, object }) => (object === undefined ? [] : [[resourceKey(entry.ref), object] as const])),
      );
      const entries = suspects.map(({ entry }) => entry);
      return await detect({ state, suspects: entries, live, orphans: [] }, { reader, now: timestamp(clock) }, {});
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found")) throw error;
      log.warn("sync.health-unknown", { cluster: batch.cluster, error: messageOf(error), correlationId: batch.correlationId });
      return undefined;
    }
  }

  async function openRows(
    rows: readonly DriftRow[],
    { state, work, batch }: { readonly state: ApplicationState; readonly work: Work; readonly batch: SyncBatch },
  ): Promise<void> {
    const { application, cluster, correlationId } = { ...state, ...batch };
    const open = state.drifted + state.additions > 0 ? await stores.drift.open(application) : [];
    const known = new Set(open.map(rowKey));
    const fresh = rows.filter((row) => !known.has(rowKey(row)));
    for (const row of rows) await stores.drift.record(row);
    for (const { ref, field, kind, manager } of rows)
      log.warn("sync.disturbed", { application, sync: work.syncId, ref: displayRef(ref), kind, field, manager, correlationId });
    if (fresh.length === 0) return;
    // A run that is cut off leaves them to the sweep, which has to know that they are there.
    await changeState(stores.applications, {
      application,
      change: (stored) => stored && { ...stored, drifted: stored.drifted + fresh.length },
    });
    metrics.emit({ cluster, values: { DriftDetected: fresh.length } });
    await events.publish(
      driftEvents("DriftDetected", { application, cluster, correlationId, at: timestamp(clock), rows: fresh }),
    );
  }

  /** Once the apply stage has been through all that was to be put right, says so in the rows. */
  async function closeRows(work: Work, { cluster, correlationId }: SyncBatch): Promise<Work> {
    const { again, ...rest } = work;
    if (again === undefined) return work;
    // Through the steps between no object is written twice.
    if (work.step < again.through) return work;
    const { name: application } = work.target;
    const at = timestamp(clock);
    const open = await stores.drift.open(application);
    const rows = open.filter(({ ref, kind }) => kind !== "orphan" && again.keys.includes(resourceKey(ref)));
    if (rows.length === 0) return rest;
    await stores.drift.heal(rows, { at, by: work.syncId });
    const drift = rows.filter(({ kind }) => kind !== "addition").length;
    await changeState(stores.applications, {
      application,
      change: (stored) => stored && { ...stored, drifted: Math.max(0, stored.drifted - drift) },
    });
    metrics.emit({ cluster, values: { DriftHealed: rows.length } });
    await events.publish(healedEvents({ application, cluster, correlationId, at, rows, sync: work.syncId }));
    return rest;
  }
}

/** The run still works on what is desired, and may write. */
function isStillWanted({ desired, removed, refused }: ApplicationState, work: Work): boolean {
  return (
    !removed && refused !== true && desired?.generation === work.desired.generation && desired.snapshot === work.desired.snapshot
  );
}

/** The rows of one object, where its policy has them healed. */
function healedRows({ rows, heals }: Detected, ref: ResourceRef): readonly DriftRow[] {
  const key = resourceKey(ref);
  if (!heals.some((healed) => resourceKey(healed) === key)) return [];
  return rows.filter((row) => resourceKey(row.ref) === key && row.kind !== "orphan");
}

function disturbances(
  suspects: readonly Suspect[],
  { work, broken }: { readonly work: Work; readonly broken: ReadonlyMap<string, readonly DriftRow[]> },
): { readonly [key: string]: Disturbance } {
  return Object.fromEntries(
    suspects.map(({ entry, object }) => {
      const key = resourceKey(entry.ref);
      const { times = 0 } = work.disturbed?.[key] ?? {};
      return [key, broken.has(key) ? { times: times + 1, seen: "" } : { times, seen: signatureOf(object) }];
    }),
  );
}

/** Changes when another change of what we set may have come: status alone does not change it. */
function signatureOf(object: Suspect["object"]): string {
  if (object === undefined) return "gone";
  const { uid = "", generation = 0 } = object.metadata;
  const { fingerprint = "", appliedAt = "" } = fingerprintOf(object.metadata) ?? {};
  return [uid, generation, fingerprint, appliedAt].join(" ");
}

function noteOf(
  { ref, kind, manager, by }: DriftRow,
  { all, isLeft }: { readonly all: readonly DriftRow[]; readonly isLeft: boolean },
): string {
  const who = manager || by?.user || "somebody";
  const fields = all.map(({ field }) => field).filter((field) => field !== "");
  const what = kind === "missing" ? "was deleted" : `was changed by ${who} (${fields.slice(0, 3).join(", ")})`;
  const often = `${displayRef(ref)} ${what} while the sync waited for it`;
  return isLeft ? `${often}, again after it was put right ${mostTimes} times: it is left as it is` : `${often}: put right`;
}
