import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";

/** What is in one or the other. Sets are as FieldsV1 writes them: `{}` is a member without members, `.` makes one that has some a member itself. */
export function union(a: JsonObject, b: JsonObject): JsonObject {
  const joined: Record<string, JsonValue | undefined> = { ...a };
  for (const [key, theirs] of Object.entries(b)) {
    const mine = a[key];
    joined[key] = mine === undefined ? theirs : branches(mine, theirs);
  }
  return joined;
}

function branches(a: JsonValue | undefined, b: JsonValue | undefined): JsonObject {
  const [left, right] = [membersOf(a), membersOf(b)];
  const joined = union(left, right);
  const isMember = isLeaf(left) || isLeaf(right);
  return isMember && !isLeaf(joined) ? { ...joined, ".": {} } : joined;
}

/** What is in the first alone. */
export function difference(a: JsonObject, b: JsonObject): JsonObject {
  const left: Record<string, JsonValue> = {};
  for (const [key, mine] of Object.entries(a)) {
    const rest = withoutMembers(membersOf(mine), b[key]);
    if (rest !== undefined) left[key] = rest;
  }
  return left;
}

/** Undefined when nothing is left. */
function withoutMembers(mine: JsonObject, theirs: JsonValue | undefined): JsonObject | undefined {
  if (theirs === undefined) return mine;
  const others = membersOf(theirs);
  if (isLeaf(mine)) return isLeaf(others) || "." in others ? undefined : mine;
  const { ".": self, ...below } = mine;
  const rest = difference(below, others);
  const stays = self !== undefined && !("." in others) && !isLeaf(others);
  if (isLeaf(rest)) return stays ? {} : undefined;
  return stays ? { ".": {}, ...rest } : rest;
}

/** True when something is in both. */
export function overlaps(a: JsonObject, b: JsonObject): boolean {
  return Object.entries(a).some(([key, mine]) => {
    if (b[key] === undefined) return false;
    const [left, right] = [membersOf(mine), membersOf(b[key])];
    if (isLeaf(left) || isLeaf(right)) return (isLeaf(left) || "." in left) && (isLeaf(right) || "." in right);
    return overlaps(left, right);
  });
}

export function membersOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function isLeaf(members: JsonObject): boolean {
  return Object.keys(members).length === 0;
}
