import type { FieldNode, FieldSet, PathElement, Shares } from "../model/field-set.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import { applicationLabel, type Manifest, type ObjectMeta } from "../model/resource.ts";
import { type IgnoredFields, ignoredPlaces } from "../paths/ignored-fields.ts";
import { childAt, isEmptyTree, type PlaceTree } from "../paths/place.ts";
import { isKeyOf, sameValue, stepInto } from "./walk.ts";

export interface KeepLiveRequest {
  readonly manifest: Manifest;
  readonly live: Manifest;
  readonly ignored: IgnoredFields;
  /** Of the live object, with the managers that are ignored. */
  readonly shares: Shares;
}

export interface KeptLive {
  /** What to apply. */
  readonly manifest: Manifest;
  /** True when it states live values, which somebody may change before it is applied. */
  readonly isGuess: boolean;
}

/**
 * The manifest without the fields that are left to others, so that an apply leaves them as they are: what somebody else owns is left
 * out; what we alone own, and an apply without it would remove, has its live value. Inside of a list item that is not live yet the
 * manifest's own value counts. Name, namespace and our label always stay.
 */
export function keepLive({ manifest, live, ignored, shares }: KeepLiveRequest): KeptLive {
  const places = { desired: ignoredPlaces(ignored, manifest), live: ignoredPlaces(ignored, live) };
  const here: Here = { ...places, ...shares, isAtomic: false, isInAtomic: false };
  const walk = new Walk();
  const { metadata, ...rest } = (walk.value(manifest, live, here) ?? {}) as Partial<Manifest>;
  const { apiVersion, kind } = manifest;
  return {
    manifest: { ...rest, apiVersion, kind, metadata: withIdentity(metadata, manifest.metadata) },
    isGuess: walk.states,
  };
}

function withIdentity(kept: Partial<ObjectMeta> = {}, { name, namespace, labels }: ObjectMeta): ObjectMeta {
  const label = labels?.[applicationLabel];
  return {
    ...kept,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(label === undefined ? {} : { labels: { ...kept.labels, [applicationLabel]: label } }),
  };
}

/** What is known of one place: the places under it that are left to others, and who owns what there. */
interface Here extends Shares {
  readonly desired: PlaceTree | undefined;
  readonly live: PlaceTree | undefined;
  /** True for a value that has one owner as a whole, and inside of one. */
  readonly isAtomic: boolean;
  readonly isInAtomic: boolean;
}

type Steps = {
  readonly desired: string | number;
  readonly live: string | number;
  readonly is: (element: PathElement) => boolean;
};

class Walk {
  /** True once a live value was put in. */
  states = false;

  value(desired: JsonValue | undefined, live: JsonValue | undefined, here: Here): JsonValue | undefined {
    if (isLeft(here)) return this.#kept(live, here);
    if (isUntouched(here)) return desired;
    const model = desired ?? live;
    if (Array.isArray(model))
      return this.#list(desired as Items | undefined, Array.isArray(live) ? (live as Items) : undefined, here);
    if (isJsonObject(model)) return this.#members(desired as JsonObject | undefined, isJsonObject(live) ? live : undefined, here);
    return desired;
  }

  #kept(live: JsonValue | undefined, here: Here): JsonValue | undefined {
    if (live === undefined) return undefined;
    const value = here.isInAtomic ? live : here.ours && oursAlone(here.ours, here.others, live);
    if (value !== undefined) this.states = true;
    return value;
  }

  #members(desired: JsonObject | undefined, live: JsonObject | undefined, here: Here): JsonValue | undefined {
    if (desired === undefined && here.isAtomic) return undefined;
    const names = new Set([...Object.keys(desired ?? {}), ...(live === undefined ? [] : namesUnder(here))]);
    const members = [...names].flatMap((name): [string, JsonValue][] => {
      const [wanted, found] = [desired?.[name], childAt(live, name)];
      const is = (element: PathElement) => element.by === "field" && element.name === name;
      const value = this.value(wanted, found, under(here, { desired: name, live: name, is }, wanted ?? found));
      return value === undefined ? [] : [[name, value]];
    });
    const wasEmpty = desired !== undefined && Object.keys(desired).length === 0;
    return members.length === 0 && !wasEmpty ? undefined : Object.fromEntries(members);
  }

  #list(desired: Items | undefined, live: Items | undefined, here: Here): JsonValue | undefined {
    const elements = nodesOf(here).flatMap(({ children }) => children.map(({ element }) => element));
    const named = elements.filter(({ by }) => by === "key" || by === "value");
    if (here.isAtomic || named.length === 0) return this.#byIndex(desired, live, here);
    const matched = new Set<number>();
    const items = (desired ?? []).flatMap((item, index) => {
      const element = named.find((one) => isItem(item, one));
      const at = element === undefined ? -1 : indexOf(live, element);
      matched.add(at);
      return this.#item({ item, index, element, at }, live, here) ?? [];
    });
    const rest = [...(live ?? []).keys()].filter((at) => !matched.has(at));
    const more = rest.flatMap((at) => {
      const element = named.find((one) => indexOf(live, one) === at);
      return element === undefined ? [] : (this.#item({ item: undefined, index: -1, element, at }, live, here) ?? []);
    });
    const all = [...items, ...more];
    return all.length === 0 && desired?.length !== 0 ? undefined : all;
  }

  #item({ item, index, element, at }: FoundItem, live: Items | undefined, here: Here): JsonValue | undefined {
    const is = (other: PathElement) => element !== undefined && isSameElement(element, other);
    const found = live?.[at];
    const below = under(here, { desired: index, live: at, is }, item ?? found);
    if (found === undefined && !isLeft(below)) return item;
    const value = this.value(item, found, below);
    if (value === undefined || element?.by !== "key" || !isJsonObject(value)) return value;
    // An item without its keys would be another item.
    const written = Object.keys(element.key).filter((name) => isJsonObject(item) && item[name] !== undefined);
    const key = item === undefined ? element.key : Object.fromEntries(written.map((name) => [name, element.key[name]]));
    return { ...key, ...value };
  }

  #byIndex(desired: Items | undefined, live: Items | undefined, here: Here): JsonValue | undefined {
    return desired?.flatMap((item, index) => {
      const is = (element: PathElement) => element.by === "index" && element.index === index;
      const below = under(here, { desired: index, live: index, is }, item);
      const found = live?.[index];
      return (found === undefined && !isLeft(below) ? item : this.value(item, found, below)) ?? [];
    });
  }
}

type Items = readonly JsonValue[];

interface FoundItem {
  /** Undefined where only the live object has it. */
  readonly item: JsonValue | undefined;
  readonly index: number;
  readonly element: PathElement | undefined;
  /** Index in the live list; -1 when it is not there. */
  readonly at: number;
}

/** Of the fields of one value those that nobody else owns, with their live values; undefined when there is none. */
function oursAlone(ours: FieldSet, others: readonly FieldSet[], live: JsonValue): JsonValue | undefined {
  if (ours.children.length === 0) return others.length === 0 ? live : undefined;
  if (others.some(({ owned, children }) => owned && children.length === 0)) return undefined;
  const parts = ours.children.flatMap((child) => {
    const value = stepInto(live, child.element);
    const part = value === undefined ? undefined : oursAlone(child, childrenAt(others, child.element), value);
    return part === undefined ? [] : [{ element: child.element, part }];
  });
  if (parts.length === 0) return undefined;
  if (Array.isArray(live))
    return parts.map(({ element, part }) => (element.by === "key" && isJsonObject(part) ? { ...element.key, ...part } : part));
  return Object.fromEntries(parts.flatMap(({ element, part }) => (element.by === "field" ? [[element.name, part]] : [])));
}

/** True for a field that is left to others as a whole. */
function isLeft({ desired, live, ignored }: Here): boolean {
  return desired?.whole === true || live?.whole === true || ignored.some(isValue);
}

/** True for what a manager owns to the bottom. */
const isValue = ({ owned, children, path }: FieldSet): boolean => owned && children.length === 0 && path !== "";

function isUntouched({ desired, live, ignored }: Here): boolean {
  return (
    (desired === undefined || isEmptyTree(desired)) &&
    (live === undefined || isEmptyTree(live)) &&
    ignored.every(({ children }) => children.length === 0)
  );
}

/** Names of members that only the live object may have. */
function namesUnder({ live, ignored }: Here): readonly string[] {
  return [
    ...[...(live?.children.keys() ?? [])].map(String),
    ...ignored.flatMap(({ children }) => children.flatMap(({ element }) => (element.by === "field" ? [element.name] : []))),
  ];
}

function under(here: Here, { desired, live, is }: Steps, value: JsonValue | undefined): Here {
  const next: Omit<Here, "isAtomic" | "isInAtomic"> = {
    desired: here.desired?.children.get(desired),
    live: here.live?.children.get(live),
    ours: here.ours?.children.find(({ element }) => is(element)),
    others: childrenWhere(here.others, is),
    ignored: childrenWhere(here.ignored, is),
  };
  const nodes = nodesOf(next);
  const isContainer = typeof value === "object" && value !== null;
  const isLeafForAll = nodes.length > 0 && nodes.every(({ children }) => children.length === 0);
  return { ...next, isInAtomic: here.isAtomic, isAtomic: here.isAtomic || (isContainer && isLeafForAll) };
}

function nodesOf({ ours, others, ignored }: Shares): readonly FieldSet[] {
  return [...(ours === undefined ? [] : [ours]), ...others, ...ignored];
}

function childrenWhere(sets: readonly FieldSet[], is: (element: PathElement) => boolean): readonly FieldNode[] {
  return sets.flatMap(({ children }) => children.filter(({ element }) => is(element)));
}

function childrenAt(sets: readonly FieldSet[], element: PathElement): readonly FieldNode[] {
  return childrenWhere(sets, (other) => isSameElement(element, other));
}

function isSameElement(a: PathElement, b: PathElement): boolean {
  switch (a.by) {
    case "field":
      return b.by === "field" && a.name === b.name;
    case "key":
      return b.by === "key" && sameValue(a.key, b.key);
    case "value":
      return b.by === "value" && sameValue(a.value, b.value);
    case "index":
      return b.by === "index" && a.index === b.index;
    default:
      return a satisfies never;
  }
}

/** Keys that the manifest leaves to their defaults match too. */
function isItem(item: JsonValue, element: PathElement): boolean {
  if (element.by === "value") return sameValue(item, element.value);
  if (element.by !== "key" || !isJsonObject(item)) return false;
  const written = Object.entries(element.key).filter(([name]) => item[name] !== undefined);
  return written.length > 0 && isKeyOf(item, Object.fromEntries(written));
}

function indexOf(live: Items | undefined, element: PathElement): number {
  return (live ?? []).findIndex((item) =>
    element.by === "key" ? isKeyOf(item, element.key) : element.by === "value" && sameValue(item, element.value),
  );
}
