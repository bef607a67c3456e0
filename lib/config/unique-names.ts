import { quote } from "./wording.ts";

/** Undefined where they are not all known. */
export function namesOf(
  entries: readonly ({ readonly name?: string | undefined } | undefined)[] | undefined,
): ReadonlySet<string> | undefined {
  const names = entries?.map((entry) => entry?.name);
  return names === undefined || names.includes(undefined) ? undefined : new Set(names as string[]);
}

export function reportDuplicates(
  entries: readonly ({ readonly name?: string | undefined } | undefined)[],
  list: string,
  add: (path: string, message: string) => void,
): void {
  const first = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    if (entry?.name === undefined) continue;
    const earlier = first.get(entry.name);
    if (earlier === undefined) first.set(entry.name, index);
    else add(`${list}[${index}].name`, `${quote(entry.name)} is the name of ${list}[${earlier}] already: names are unique`);
  }
}
