import { type JsonObject, type JsonValue, parseJson } from "../model/json.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../model/resource.ts";
import { foreignEntries, isOurs, ourEntry } from "./entries.ts";
import { pathUnder } from "./field-set.ts";
import { difference, isLeaf, membersOf, union } from "./field-sets.ts";

export interface TakenAdditions {
  /** What `metadata.managedFields` becomes. */
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Display paths of what the next apply removes, a list item whole. */
  readonly paths: readonly string[];
  /** Whose fields they were, each once. */
  readonly from: readonly string[];
}

export interface TakeAdditionsOptions {
  /** True for a display path that stays, with all that is under it. */
  readonly keeps: (path: string) => boolean;
  /** Whose fields all stay. */
  readonly managers: ReadonlySet<string>;
}

/** Others clean up by these, or hold the object by them: what goes with them is more than a field. */
const never = ["metadata.finalizers", "metadata.ownerReferences", "status"];

/**
 * An object's shares with what others added joined to ours, so that the next apply removes it. Undefined when there is nothing, or
 * when we have not applied the object. What was written through a subresource stays
 * too: autoscalers write through `scale`.
 *
 * Of shares of another version than ours one is taken at a time, and stands for ours alone for that moment: the next apply
 * converts it and adds the rest.
 */
export function takeAdditions(metadata: ObjectMeta, { keeps, managers }: TakeAdditionsOptions): TakenAdditions | undefined {
  const ours = ourEntry(metadata);
  if (ours === undefined) return undefined;
  const found = foreignEntries(metadata).flatMap(({ entry, fieldsV1 }) => {
    const paths: string[] = [];
    const mayGo = (entry.subresource ?? "") === "" && !managers.has(entry.manager ?? "");
    const part = mayGo ? added(fieldsV1, ours.fieldsV1 ?? {}, { path: "", keeps, paths }) : {};
    return paths.length === 0 ? [] : [{ entry, part, paths }];
  });
  const same = found.filter(({ entry }) => entry.apiVersion === ours.apiVersion);
  const taken = same.length > 0 ? same : found.slice(0, 1);
  const [first] = taken;
  if (first === undefined) return undefined;
  const { apiVersion = "" } = first.entry;
  const base = apiVersion === ours.apiVersion ? (ours.fieldsV1 ?? {}) : {};
  const joined = { ...ours, apiVersion, fieldsV1: taken.reduce((fields, { part }) => union(fields, part), base) };
  return {
    managedFields: (metadata.managedFields ?? []).flatMap((entry) => {
      if (isOurs(entry)) return [joined];
      const part = taken.find((one) => one.entry === entry)?.part;
      return part === undefined ? [entry] : without(entry, part);
    }),
    paths: [...new Set(taken.flatMap(({ paths }) => paths))].sort(),
    from: [...new Set(taken.map(({ entry }) => entry.manager ?? ""))],
  };
}

interface Adding {
  readonly path: string;
  readonly keeps: (path: string) => boolean;
  /** Filled on the way. */
  readonly paths: string[];
  /** By which an item of a list is known: it is one as long as anything of it stays. */
  readonly keys?: ReadonlySet<string>;
}

function keysOf(text: string): ReadonlySet<string> {
  if (!text.startsWith("k:")) return new Set();
  return new Set(Object.keys(membersOf(parseJson(text.slice(2)))).map((name) => `f:${name}`));
}

/** The part of somebody's fields that are not ours and may go. */
function added(theirs: JsonObject, mine: JsonObject | undefined, adding: Adding): JsonObject {
  const part: Record<string, JsonValue> = {};
  for (const [text, inner] of Object.entries(theirs)) {
    const path = pathUnder(adding.path, text);
    if (path === undefined || never.includes(path) || adding.keeps(path) || adding.keys?.has(text)) continue;
    const own = mine?.[text];
    const [below, ourBelow] = [membersOf(inner), membersOf(own)];
    // What we own as a whole has no room for others' fields.
    if (own !== undefined && (isLeaf(below) || isLeaf(ourBelow))) continue;
    const wanted = own === undefined ? wholly(below, { ...adding, path }) : undefined;
    if (wanted === undefined) {
      const rest = added(below, own === undefined ? undefined : ourBelow, { ...adding, path, keys: keysOf(text) });
      // A map that would be left empty is an addition too.
      const goes = "." in below && (own !== undefined || !someKept(below, path, adding.keeps));
      if (!isLeaf(rest)) part[text] = goes ? { ".": {}, ...rest } : rest;
      continue;
    }
    part[text] = wanted;
    adding.paths.push(path);
  }
  return part;
}

/** All of it, where nothing of it stays and it is one thing: a value, or an item of a list. */
function wholly(below: JsonObject, { path, keeps }: Adding): JsonObject | undefined {
  if (isLeaf(below)) return below;
  const isItem = path.endsWith("]") && "." in below;
  return isItem && !someKept(below, path, keeps) ? below : undefined;
}

function someKept(fields: JsonObject, path: string, keeps: (path: string) => boolean): boolean {
  return Object.entries(fields).some(([text, inner]) => {
    const here = pathUnder(path, text);
    return here !== undefined && (keeps(here) || someKept(membersOf(inner), here, keeps));
  });
}

function without(entry: ManagedFieldsEntry, part: JsonObject): readonly ManagedFieldsEntry[] {
  const fieldsV1 = difference(entry.fieldsV1 ?? {}, part);
  return isLeaf(fieldsV1) ? [] : [{ ...entry, fieldsV1 }];
}
