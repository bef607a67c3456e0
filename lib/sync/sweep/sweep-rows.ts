import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import { resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";

export interface RecordRowsDeps {
  readonly stores: Pick<Stores, "drift">;
  readonly log: Log;
}

/** What a sweep found of one application. */
export interface Found {
  readonly state: ApplicationState;
  readonly rows: readonly DriftRow[];
  /** False for an open row that this look could tell nothing about: it stays as it is. */
  readonly isSeen: (row: DriftRow) => boolean;
  /** True for a row that counts as drift. */
  readonly isDrift: (row: DriftRow) => boolean;
  readonly sweep: string;
  /** When it looked, RFC 3339. */
  readonly now: string;
}

export interface Recorded {
  /** Rows that no sweep had seen before. */
  readonly fresh: readonly DriftRow[];
  /** How many rows are open now. */
  readonly drifted: number;
  readonly additions: number;
}

/** Writes a row for each field that drifted, and closes those that are over. */
export function createRecordRows({ stores, log }: RecordRowsDeps): (found: Found, options: CallOptions) => Promise<Recorded> {
  return async ({ state, rows, isSeen, isDrift, sweep, now }, options) => {
    const { application } = state;
    const open = openRows(state) > 0 ? await stores.drift.open(application, options) : [];
    const known = new Map(open.map((row) => [rowKey(row), row]));
    const found = new Set(rows.map(rowKey));
    const gone = open.filter((row) => !found.has(rowKey(row)));
    const over = gone.filter(isSeen);
    await mapConcurrently(rows, {
      limit: 16,
      work: (row) => stores.drift.record(asSeenFirst(row, known.get(rowKey(row))), options),
    });
    if (over.length > 0) await stores.drift.heal(over, { at: now, by: "" }, options);
    const fresh = rows.filter((row) => !known.has(rowKey(row)));
    for (const { kind, ref, field, manager } of fresh) {
      log.info("sweep.drift", { sweep, application, kind, ref: resourceKey(ref), field, manager });
    }
    const standing = [...rows, ...gone.filter((row) => !over.includes(row))];
    const drifted = standing.filter(isDrift).length;
    return { fresh, drifted, additions: standing.length - drifted };
  };
}

/** How many rows stand open of an application. */
export function openRows({ drifted, additions }: ApplicationState): number {
  return drifted + additions;
}

/** Where the server keeps no time of a change, it is when it was seen, and the first time counts. */
function asSeenFirst(row: DriftRow, known: DriftRow | undefined): DriftRow {
  const isGuess = row.changedAt === row.lastSeen;
  return known !== undefined && isGuess && known.manager === row.manager ? { ...row, changedAt: known.changedAt } : row;
}

/** What a row is about: the same for a row that is found again. */
export function rowKey({ kind, ref, field }: DriftRow): string {
  return `${kind} ${resourceKey(ref)} ${field}`;
}
