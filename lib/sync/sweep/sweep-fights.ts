import { driftEvents } from "../../events/drift-events.ts";
import { type EventBus, silentEvents } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import { displayRef, fieldManager, resourceKey } from "../../model/resource.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";

export interface FightsDeps {
  readonly stores: Pick<Stores, "drift">;
  readonly events?: EventBus;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reverts of one field within the hour that are healed still; with one more it is a fight. */
const mostReverts = 3;
const hourMs = 3_600_000;

/** A field, or a whole object, that is reverted too often. */
interface Fight {
  readonly managers: readonly string[];
  readonly reverts: number;
  /** True when it was one at some earlier time of the hour: the alarm was given. */
  readonly isKnown: boolean;
}

/**
 * Tells which drift is not to be healed now: what more than three syncs put right within the last hour is reverted by
 * somebody who will not stop. The hour slides, so that healing resumes by itself; the alarm is given once a fight and hour.
 */
export function createFights({
  stores,
  events = silentEvents,
  clock,
  log,
}: FightsDeps): (
  application: string,
  rows: readonly DriftRow[],
  options: CallOptions & { readonly correlationId?: string },
) => Promise<readonly DriftRow[]> {
  return async (application, rows, { correlationId = "", ...options }) => {
    if (rows.length === 0) return rows;
    const now = clock.now();
    // Two hours, since a fight may have begun an hour ago, with what happened in the hour before.
    const since = new Date(now.getTime() - 2 * hourMs).toISOString();
    const healed = Map.groupBy(await stores.drift.healedSince(application, since, options), subjectOf);
    const fights = new Map(
      rows.flatMap((row) => {
        const fight = fightOf(row, { healed: healed.get(subjectOf(row)) ?? [], now });
        return fight === undefined ? [] : [[row, fight] as const];
      }),
    );
    if (fights.size === 0) return rows;
    const told = rows.map((row) => {
      const { managers, reverts } = fights.get(row) ?? {};
      return managers === undefined || reverts === undefined ? row : { ...row, fight: { managers, reverts } };
    });
    const standing = new Set(
      (await stores.drift.open(application, options)).filter(({ fight }) => fight !== undefined).map(subjectOf),
    );
    const fresh = told.filter((_, index) => {
      const row = rows[index] as DriftRow;
      return fights.get(row)?.isKnown === false && !standing.has(subjectOf(row));
    });
    await alarm(fresh, { application, at: now.toISOString(), correlationId }, options);
    return told;
  };

  async function alarm(
    rows: readonly DriftRow[],
    { application, at, correlationId }: Readonly<Record<"application" | "at" | "correlationId", string>>,
    options: CallOptions,
  ): Promise<void> {
    for (const { ref, field, fight } of rows) {
      const { managers = [], reverts = 0 } = fight ?? {};
      log.warn("sweep.fight", { sweep: correlationId, application, ref: displayRef(ref), field, managers, reverts });
    }
    const cluster = rows[0]?.cluster ?? "";
    await events.publish(driftEvents("DriftFight", { application, cluster, correlationId, at, rows }), options);
  }
}

function fightOf(
  row: DriftRow,
  { healed, now }: { readonly healed: readonly DriftRow[]; readonly now: Date },
): Fight | undefined {
  const recent = revertsBefore(now.getTime(), healed);
  if (recent.length <= mostReverts) return undefined;
  // Who deletes leaves no name in managedFields; the audit log may know.
  const others = [row, ...recent].map(({ manager, by }) => manager || (by?.user ?? ""));
  const managers = [...new Set([fieldManager, ...others])].filter((name) => name !== "");
  // Drift that was not healed when it was first seen was a fight, and the alarm was given then.
  const begun = healed.map(({ firstSeen }) => Date.parse(firstSeen)).filter((time) => time > now.getTime() - hourMs);
  return { managers, reverts: recent.length, isKnown: begun.some((time) => revertsBefore(time, healed).length > mostReverts) };
}

/** Those of the hour before a time. */
function revertsBefore(time: number, healed: readonly DriftRow[]): readonly DriftRow[] {
  return healed.filter(({ healedAt }) => {
    const at = Date.parse(healedAt);
    return at < time && at > time - hourMs;
  });
}

/** A field is reverted whatever it is set to, and by whichever kind of drift; an object that is gone, as a whole. */
function subjectOf({ ref, field }: DriftRow): string {
  return `${resourceKey(ref)} ${field}`;
}
