import type { JsonValue } from "../model/json.ts";
import { childAt, type Place } from "./place.ts";

/** What is wrong with a pointer of RFC 6901 to a field, as what follows its path; undefined when nothing is. */
export function pointerProblem(pointer: string): string | undefined {
  if (pointer === "" || pointer === "/") return "points at the whole object: name a field, such as /spec/replicas";
  if (!pointer.startsWith("/")) return `is no JSON pointer: it begins with a slash, as in ${asPointer(pointer)}`;
  if (/~(?![01])/.test(pointer)) return "is no JSON pointer: write ~0 for a tilde, and ~1 for a slash inside of a name";
  return undefined;
}

/** `spec.replicas` is what people write who mean `/spec/replicas`. */
function asPointer(text: string): string {
  return /^\.?[\w-]+(?:\.[\w-]+)*$/.test(text) ? `/${text.replace(/^\./, "").replaceAll(".", "/")}` : "/spec/replicas";
}

/** Where a pointer leads in a document; none when there is nothing. */
export function placesAt(pointer: string, document: JsonValue): readonly Place[] {
  const place: (string | number)[] = [];
  let value: JsonValue | undefined = document;
  for (const token of pointer.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    const step: string | number = Array.isArray(value) && /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : name;
    value = childAt(value, step);
    if (value === undefined) return [];
    place.push(step);
  }
  return [place];
}
