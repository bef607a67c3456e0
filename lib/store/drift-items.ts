import { createHash } from "node:crypto";
import type { Attribution, DriftRow } from "../model/drift.ts";
import { type JsonValue, parseJson, stringifyJson } from "../model/json.ts";
import { resourceKey } from "../model/resource.ts";
import { type Item, textOf } from "./attributes.ts";
import { pack, unpack } from "./document.ts";
import type { Key } from "./key.ts";
import type { DriftIndex } from "./table.ts";

/** Indexes begin a row's place with it while it is open, so that open rows come before healed ones, newest first. */
export const openMark = "~";

/** Values of the index that all drift is in: a partition of DynamoDB takes a thousand writes a second. */
export const driftShards = ["0", "1", "2", "3", "4", "5", "6", "7"] as const;

export function ownerOf(application: string): string {
  return `drift#${application}`;
}

/** Where the row stands while it is open. */
export function openKeyOf(row: DriftRow): Key {
  return { pk: ownerOf(row.application), sk: `open#${subjectOf(row)}` };
}

/** Where a row stands, or will, once it is healed: marked rows know their place already. */
export function healedKeyOf(item: Item): Key {
  return { pk: textOf(item, "pk"), sk: `healed#${placeOf(item)}` };
}

/** Unlike other rows of any application, as long as it is open. */
function subjectOf({ application, kind, ref, field }: DriftRow): string {
  return createHash("sha256")
    .update([application, kind, resourceKey(ref), field].join("\n"))
    .digest("hex")
    .slice(0, 32);
}

/** `~FIRSTSEEN#SUBJECT` */
export function openPlaceOf(row: DriftRow, firstSeen: string): string {
  return `${openMark}${keyTime(firstSeen)}#${subjectOf(row)}`;
}

/** `HEALEDAT#FIRSTSEEN#SUBJECT` */
export function healedPlaceOf(row: DriftRow, healed: { readonly firstSeen: string; readonly at: string }): string {
  return `${keyTime(healed.at)}#${keyTime(healed.firstSeen)}#${subjectOf(row)}`;
}

/** The place in the index: of an open row `~FIRSTSEEN#SUBJECT`, of a healed one `HEALEDAT#FIRSTSEEN#SUBJECT`. */
export function placeOf(item: Item): string {
  return textOf(item, "driftTime");
}

/** Where a healed row stood while it was open. */
export function formerPlaceOf(item: Item): string {
  const place = placeOf(item);
  return `${openMark}${place.slice(place.indexOf("#") + 1)}`;
}

/**
 * When a row was open no more: when that was written, which is a little later than the time it tells, so that who lists rows at a moment
 * can tell what was open then. Rows that were closed in hindsight were not open for anyone to see.
 */
export function leftAt(item: Item): string {
  const healedAt = placeOf(item).split("#", 1)[0] ?? "";
  const closedAt = textOf(item, "closedAt");
  return closedAt > healedAt && Date.parse(closedAt) - Date.parse(healedAt) <= closingMs ? closedAt : healedAt;
}

/** Milliseconds from the time that a healed row tells to its writing. */
export const closingMs = 120_000;

/** As all times of keys are, so that they sort: UTC with milliseconds. */
function keyTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : new Date(at).toISOString();
}

/** Marked rows count as healed from then on. */
export function isMarked(item: Item): boolean {
  return textOf(item, "healedAt") !== "";
}

/** The row's own attributes; those that it has not are to be removed. */
export function attributesOf(row: DriftRow): { readonly present: Item; readonly absent: readonly string[] } {
  const { firstSeen: _first, healedAt: _at, healedBy: _healer, by, ...rest } = row;
  const { group, kind, namespace } = row.ref;
  const document = pack(rest);
  const present = {
    ...document,
    driftShard: driftShards[Number.parseInt(subjectOf(row).slice(0, 1), 16) % driftShards.length] ?? "0",
    driftCluster: row.cluster,
    driftKind: kind.toLowerCase(),
    driftGroup: group.toLowerCase(),
    ...(namespace !== "" && { driftNamespace: namespace }),
    ...(row.manager !== "" && { driftManager: row.manager }),
    ...(by && { by: textOfAttribution(by) }),
  };
  const optional = ["body", "packed", "driftNamespace", "driftManager"];
  return { present, absent: optional.filter((name) => !(name in present)) };
}

export function textOfAttribution(by: Attribution): string {
  return stringifyJson(by as unknown as JsonValue);
}

export function rowOf(item: Item): DriftRow {
  const by = textOf(item, "by");
  return {
    ...(unpack(item) as Omit<DriftRow, "firstSeen" | "healedAt" | "healedBy" | "by">),
    firstSeen: textOf(item, "firstSeen"),
    ...(by !== "" && { by: parseJson(by) as unknown as Attribution }),
    healedAt: textOf(item, "healedAt"),
    healedBy: textOf(item, "healedBy"),
  };
}

/** What is asked of rows, beside their application and time. */
export interface DriftFacts {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly manager?: string;
}

type Wanted = Partial<Record<DriftIndex | "driftGroup", string>>;

/** The attributes that a row or an entry of an index has to have. */
export function wantedOf({ cluster, namespace, kind, manager }: DriftFacts): Wanted {
  const slash = kind?.lastIndexOf("/") ?? -1;
  return {
    ...(manager !== undefined && { driftManager: manager }),
    ...(namespace !== undefined && { driftNamespace: namespace }),
    ...(kind !== undefined && { driftKind: kind.slice(slash + 1).toLowerCase() }),
    ...(cluster !== undefined && { driftCluster: cluster }),
    ...(kind !== undefined && slash >= 0 && { driftGroup: kind.slice(0, slash).toLowerCase() }),
  };
}

export function matcherOf(wanted: Wanted): (item: Item) => boolean {
  const facts = Object.entries(wanted);
  return (item) => facts.every(([name, value]) => textOf(item, name) === value);
}
