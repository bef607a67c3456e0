import { type JsonValue, stringifyJson } from "../model/json.ts";

/** Characters of a value beyond which only what differs of it is shown. */
const longest = 400;
/** Characters of what is the same that stay on either side of a difference. */
const around = 40;

/** A pair of values as a plan shows them: of long ones only the part that differs, with `…` for what is left out. */
export function excerpt<T extends { readonly from?: JsonValue; readonly to?: JsonValue }>(pair: T): T {
  const [from, to] = [textOf(pair.from), textOf(pair.to)];
  if (Math.max(from?.length ?? 0, to?.length ?? 0) <= longest) return pair;
  const [start, end] = from === undefined || to === undefined ? [0, 0] : sameEnds(from, to);
  return {
    ...pair,
    ...(from === undefined ? {} : { from: cut(from, start, end) }),
    ...(to === undefined ? {} : { to: cut(to, start, end) }),
  };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return value === undefined || typeof value === "string" ? value : stringifyJson(value);
}

/** How many characters the two have in common at the start, and at the end after that. */
function sameEnds(one: string, other: string): readonly [number, number] {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start++;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return [start, end];
}

function cut(text: string, start: number, end: number): string {
  const first = Math.max(0, start - around);
  const last = Math.min(text.length, text.length - end + around, first + longest);
  // A cut may go through a character that takes two places.
  const part = text.slice(first, last).toWellFormed();
  return `${first > 0 ? "…" : ""}${part}${last < text.length ? "…" : ""}`;
}
