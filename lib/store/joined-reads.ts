import { setTimeout as delay } from "node:timers/promises";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Item } from "./attributes.ts";
import type { Key } from "./items.ts";

/** What one request of a table may ask for. */
const mostKeys = 100;
/** How often, and after which first pause in milliseconds, what the table left out is asked for again. */
const repeats = { most: 8, pause: 50 };

/** What reads items of a table by key. */
export interface ReadsDeps {
  readonly one: (key: Key, options: CallOptions) => Promise<Item | undefined>;
  /** Items that are there, in any order, and keys that the table did not get to. */
  readonly many: (keys: readonly Key[]) => Promise<{ readonly items: readonly Item[]; readonly left: readonly Key[] }>;
}

interface Waiting {
  readonly key: Key;
  readonly options: CallOptions;
  readonly resolve: (item: Item | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads that are asked for at the same moment go out as one request: it costs a tenth of as many single ones. */
export function createJoinedReads({ one, many }: ReadsDeps): (key: Key, options?: CallOptions) => Promise<Item | undefined> {
  let waiting: Waiting[] = [];

  return (key, options = {}) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ key, options, resolve, reject });
    });

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += mostKeys) void answer(all.slice(from, from + mostKeys));
  }

  async function answer(asked: readonly Waiting[]): Promise<void> {
    const [first, ...others] = asked as [Waiting, ...Waiting[]];
    try {
      if (others.length === 0) return first.resolve(await one(first.key, first.options));
      const found = await readAll([...new Map(asked.map(({ key }) => [nameOf(key), key])).values()]);
      for (const { key, options, resolve, reject } of asked) {
        if (options.signal?.aborted === true) reject(options.signal.reason);
        else resolve(found.get(nameOf(key)));
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  async function readAll(keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
    const found = new Map<string, Item>();
    let left = keys;
    for (let repeat = 0; left.length > 0; repeat++) {
      if (repeat > repeats.most) {
        throw new DriftlessError("store", `the table left out ${left.length} of ${keys.length} items each of ${repeat} times`, {
          retryable: true,
        });
      }
      if (repeat > 0) await delay(repeats.pause * 2 ** (repeat - 1));
      const read = await many(left);
      for (const item of read.items) found.set(nameOf(item as Item & Key), item);
      left = read.left;
    }
    return found;
  }
}

function nameOf({ pk, sk }: Key): string {
  return JSON.stringify([pk, sk]);
}
