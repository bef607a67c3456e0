/** Entries that a cache keeps: the one that was not asked for the longest gives way to a new one. */
const mostKept = 200;

/** What is under a key, made where there is none. */
export function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostKept && oldest !== undefined) map.delete(oldest);
  return value;
}
