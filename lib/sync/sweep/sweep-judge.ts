import { kindKey } from "../../apply/live.ts";
import type { Detected } from "../../drift/detect.ts";
import { driftEvents } from "../../events/drift-events.ts";
import type { DriftlessEvent, EventBus } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import { type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { restartGateOf } from "../../plan/gate.ts";
import { mayRetry } from "../../plan/retry.ts";
import { isHeld } from "../../store/lease.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import { isDue } from "../runs.ts";
import { basisOf, clearedAfter } from "./sweep-cleared.ts";
import { createDetect, type Look, nothingDetected } from "./sweep-detect.ts";
import { createRecordRows, openRows } from "./sweep-rows.ts";
import type { Sighting } from "./sweep-tracking.ts";

export interface JudgeDeps {
  readonly stores: Pick<Stores, "applications" | "snapshots" | "drift" | "leases" | "digest">;
  /** Told of drift that no sweep had seen before; nobody when absent. */
  readonly events?: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  /** Marks rows that are not to be healed, since somebody reverts them again and again. */
  readonly fights?: (
    application: string,
    rows: readonly DriftRow[],
    options: CallOptions & { readonly correlationId?: string },
  ) => Promise<readonly DriftRow[]>;
}

export interface JudgeLook extends Look {
  readonly sweep: string;
  /** Kinds that could not be listed, by `GROUP/KIND`. */
  readonly unreadable: ReadonlySet<string>;
  /** Given where only some objects were looked at. */
  readonly only?: ReadonlySet<string>;
}

export interface Verdict {
  /** As it stands after the look. */
  readonly state: ApplicationState;
  readonly sighting: Sighting;
  readonly detected: Detected;
  readonly skipped: boolean;
  readonly heal: boolean;
  /** To be published once the heal is on its way. */
  readonly news: readonly DriftlessEvent[];
  /** How many rows of drift no sweep had seen before. */
  readonly fresh: number;
}

/** Looks closely at what the lists could not clear of one application, writes its rows, and says whether it is to be healed. */
export function createJudge(deps: JudgeDeps): (sighting: Sighting, look: JudgeLook, options: CallOptions) => Promise<Verdict> {
  const { stores, clock } = deps;
  const detect = createDetect(deps);
  const recordRows = createRecordRows(deps);

  return async (sighting, look, options) => {
    const { state, entries, suspects, live } = sighting;
    const { application, definition } = state;
    const quiet: Verdict = { state, sighting, detected: nothingDetected, skipped: false, heal: false, fresh: 0, news: [] };
    // An object may have a policy of its own.
    const doubts = definition.drift === "ignore" ? { ...sighting, orphans: [] } : sighting;
    const detected = await detect(doubts, look, options);
    const cleared = clearedAfter(state, { entries, suspects, detected, live });
    const hasFound = detected.rows.length > 0 || detected.takeBack.length > 0 || openRows(state) > 0;
    if (!hasFound && (cleared === undefined || look.only !== undefined)) return { ...quiet, detected };
    if (await isBusy(stores, { state, now: clock.now() }, options))
      return { ...quiet, detected: { ...nothingDetected, suspects: detected.suspects }, skipped: hasFound };

    const rows = await withFights(detected, { application, correlationId: look.sweep }, options);
    const isSeen = seenIn(sighting, detected, look);
    const { fresh, drifted, additions } = await recordRows(
      { state, rows, isSeen, isDrift: driftIn(detected), sweep: look.sweep, now: look.now },
      options,
    );
    const { cluster } = definition;
    const news = fresh.filter(driftIn(detected));
    const facts = { application, cluster, correlationId: look.sweep, at: look.now, rows: news };
    const swept =
      cleared === undefined || look.only !== undefined
        ? {}
        : { swept: { basis: basisOf(state), health: state.swept?.health ?? "", cleared } };
    const stands = await writeState(state, { drifted, additions, ...swept }, options);
    const healed = healable(detected, rows);
    const isFresh = fresh.some(({ ref }) => healed.has(resourceKey(ref)));
    const heal = (healed.size > 0 || detected.takeBack.length > 0) && mayHeal(state, isFresh);
    return {
      state: stands,
      sighting,
      detected: { ...detected, rows },
      skipped: false,
      heal,
      fresh: news.length,
      news: driftEvents("DriftDetected", facts),
    };
  };

  /** Fights are looked up only where something would be healed. */
  async function withFights(
    { rows, heals }: Detected,
    { application, correlationId }: { readonly application: string; readonly correlationId: string },
    options: CallOptions,
  ): Promise<readonly DriftRow[]> {
    const disputed = rows.filter(({ kind }) => kind !== "orphan");
    if (deps.fights === undefined || heals.length === 0 || disputed.length === 0) return rows;
    const told = await deps.fights(application, disputed, { ...options, correlationId });
    return [...told, ...rows.filter(({ kind }) => kind === "orphan")];
  }

  async function writeState(
    state: ApplicationState,
    next: Pick<ApplicationState, "drifted" | "additions" | "swept">,
    options: CallOptions,
  ): Promise<ApplicationState> {
    if (state.drifted === next.drifted && state.additions === next.additions && next.swept === undefined) return state;
    const change = (stored: ApplicationState | undefined) => stored && { ...stored, ...next };
    const { application } = state;
    return (await changeState(stores.applications, { application, known: state, change }, options)) ?? state;
  }

  /**
   * A heal that failed is tried again as its retry policy says, and at once where something else has drifted since. Where a run
   * is due or was lost, the one that is started for it puts right what drifted as well, and a heal would leave out its hooks.
   */
  function mayHeal(state: ApplicationState, isFresh: boolean): boolean {
    const now = clock.now();
    if (!restartGateOf({ ...state, now }).open || isDue(state)) return false;
    if (state.lastSync?.phase === "Running" || state.lastSync?.phase === "Waiting") return false;
    const { lastSync, desired, definition } = state;
    if (isFresh || lastSync?.phase !== "Failed" || lastSync.generation !== desired?.generation) return true;
    return mayRetry(lastSync, { policy: definition.sync.retry, now });
  }
}

/** A sync that runs now, or ran since the sweep began, makes what was seen worthless: the next sweep looks again. */
export async function isBusy(
  stores: Pick<Stores, "applications" | "leases">,
  { state: { application, version }, now }: { readonly state: ApplicationState; readonly now: Date },
  options: CallOptions,
): Promise<boolean> {
  const [lease, stored] = await Promise.all([
    stores.leases.get(application, options),
    stores.applications.get(application, options),
  ]);
  return isHeld(lease, now) || stored?.version !== version;
}

/** Tells of a row whether it counts as drift: an addition does where the policy says so. */
export function driftIn({ strict }: Detected): (row: DriftRow) => boolean {
  const objects = new Set(strict.map(resourceKey));
  return ({ kind, ref }) => kind !== "addition" || objects.has(resourceKey(ref));
}

/** What is to be healed, by `resourceKey`, but for objects of which every drifted field is in a fight. */
function healable(detected: Detected, rows: readonly DriftRow[]): ReadonlySet<string> {
  const byObject = Map.groupBy(rows.filter(driftIn(detected)), ({ ref }) => resourceKey(ref));
  const isFought = (ref: ResourceRef): boolean => {
    const own = byObject.get(resourceKey(ref)) ?? [];
    return own.length > 0 && own.every(({ fight }) => fight !== undefined);
  };
  return new Set(detected.heals.filter((ref) => !isFought(ref)).map(resourceKey));
}

/** Tells of an open row whether this look would have found it again. */
function seenIn({ suspects }: Sighting, { rows, errors }: Detected, { unreadable, only }: JudgeLook): (row: DriftRow) => boolean {
  // An object that could not be checked is one of the suspects without a row.
  const found = new Set(rows.map(({ ref }) => resourceKey(ref)));
  const unclear = errors.length === 0 ? [] : suspects.map(({ ref }) => resourceKey(ref)).filter((key) => !found.has(key));
  const unseen = new Set(unclear);
  return ({ ref }) =>
    !unreadable.has(kindKey(ref)) && !unseen.has(resourceKey(ref)) && (only === undefined || only.has(resourceKey(ref)));
}
