import { excerpt } from "../diff/excerpt.ts";
import type { DriftRow } from "../model/drift.ts";
import type { JsonValue } from "../model/json.ts";
import { type DriftDetail, type DriftlessEvent, detailVersion, type EventRow } from "./events.ts";

/** Rows of one event; the table has them all. */
const mostRows = 20;

export interface DriftFacts {
  readonly application: string;
  readonly cluster: string;
  readonly correlationId: string;
  /** RFC 3339. */
  readonly at: string;
  /** Of this application. Values of Secrets are masked in a row already. */
  readonly rows: readonly DriftRow[];
}

/** One event for all rows of an application; none where there are no rows. */
export function driftEvents(
  detailType: "DriftDetected" | "DriftPrevented" | "DriftFight",
  facts: DriftFacts,
): readonly DriftlessEvent[] {
  return facts.rows.length === 0 ? [] : [{ detailType, detail: detailOf(facts) }];
}

/** One event for the rows of an application that one sync healed; none where there are no rows. */
export function healedEvents({ sync, ...facts }: DriftFacts & { readonly sync: string }): readonly DriftlessEvent[] {
  return facts.rows.length === 0 ? [] : [{ detailType: "DriftHealed", detail: { ...detailOf(facts), sync } }];
}

function detailOf({ application, cluster, correlationId, at, rows }: DriftFacts): DriftDetail {
  const told = rows.slice(0, mostRows).map(rowOf);
  return { version: detailVersion, application, cluster, correlationId, at, count: rows.length, rows: told };
}

function rowOf(row: DriftRow): EventRow {
  const { kind, ref, field, manager, operation, changedAt, firstSeen, lastSeen, by, fight } = row;
  const { group, version, kind: objectKind, namespace, name } = ref;
  return {
    kind,
    ref: { group, version, kind: objectKind, namespace, name },
    field,
    ...valuesOf(row),
    manager,
    operation,
    changedAt,
    firstSeen,
    lastSeen,
    ...(by === undefined ? {} : { by }),
    ...(fight === undefined ? {} : { fight }),
  };
}

/** A value may be a whole file: an event has room for the part that differs. */
function valuesOf({ desired, live }: DriftRow): { readonly desired?: JsonValue; readonly live?: JsonValue } {
  const pair: { readonly from?: JsonValue; readonly to?: JsonValue } = {
    ...(desired === undefined ? {} : { from: desired }),
    ...(live === undefined ? {} : { to: live }),
  };
  const { from, to } = excerpt(pair);
  return { ...(from === undefined ? {} : { desired: from }), ...(to === undefined ? {} : { live: to }) };
}
