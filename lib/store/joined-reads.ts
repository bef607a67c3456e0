import type { CallOptions } from "../model/call.ts";
import type { Item } from "./attributes.ts";
import { type Asked, createGathered } from "./gathered.ts";
import { type Key, nameOf } from "./key.ts";
import { repeatLeft } from "./repeat-left.ts";

/** What one request of a table may ask for. */
const mostKeys = 100;

/** What reads items of a table by key. */
export interface ReadsDeps {
  readonly one: (key: Key, options: CallOptions) => Promise<Item | undefined>;
  /** Items that are there, in any order, and keys that the table did not get to. */
  readonly many: (keys: readonly Key[]) => Promise<{ readonly items: readonly Item[]; readonly left: readonly Key[] }>;
}

interface Read {
  readonly key: Key;
  readonly options: CallOptions;
}

/** Reads that are asked for at the same moment go out as one request. */
export function createJoinedReads({ one, many }: ReadsDeps): (key: Key, options?: CallOptions) => Promise<Item | undefined> {
  const read = createGathered<Read, Item | undefined>({ most: mostKeys, answer });
  return (key, options = {}) => read({ key, options });

  async function answer(asked: readonly Asked<Read, Item | undefined>[]): Promise<void> {
    const [first, ...others] = asked as [Asked<Read, Item | undefined>, ...Asked<Read, Item | undefined>[]];
    try {
      if (others.length === 0) return first.resolve(await one(first.what.key, first.what.options));
      const found = await readAll([...new Map(asked.map(({ what }) => [nameOf(what.key), what.key])).values()]);
      for (const { what, resolve, reject } of asked) {
        const { signal } = what.options;
        if (signal?.aborted === true) reject(signal.reason);
        else resolve(found.get(nameOf(what.key)));
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  async function readAll(keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
    const found = new Map<string, Item>();
    await repeatLeft(keys, async (asked) => {
      const { items, left } = await many(asked);
      for (const item of items) found.set(nameOf(item as Item & Key), item);
      return left;
    });
    return found;
  }
}
