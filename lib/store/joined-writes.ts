import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Item } from "./attributes.ts";
import { type Asked, createGathered } from "./gathered.ts";
import { type Key, nameOf } from "./key.ts";
import { repeatLeft } from "./repeat-left.ts";

/** What one request of a table may write. */
const mostItems = 25;

/** What writes whole items, whatever stood there. */
export interface WritesDeps {
  readonly one: (item: Item & Key, options: CallOptions) => Promise<void>;
  /** Items of different keys; returns those that the table did not get to. */
  readonly many: (items: readonly (Item & Key)[]) => Promise<readonly (Item & Key)[]>;
}

interface Write {
  readonly item: Item & Key;
  readonly options: CallOptions;
}

/** Writes that are asked for at the same moment go out as one request; one that is refused fails alone. */
export function createJoinedWrites({ one, many }: WritesDeps): (item: Item & Key, options?: CallOptions) => Promise<void> {
  const write = createGathered<Write, void>({ most: mostItems, answer });
  return (item, options = {}) => write({ item, options });

  async function answer(asked: readonly Asked<Write, void>[]): Promise<void> {
    const keys = new Set(asked.map(({ what }) => nameOf(what.item)));
    // A request may name a key once; of several writes of one the last has to stand.
    if (asked.length === 1 || keys.size < asked.length) return oneByOne(asked);
    try {
      await repeatLeft(
        asked.map(({ what }) => what.item),
        many,
      );
      for (const { resolve } of asked) resolve();
    } catch (error) {
      if (isDriftlessError(error) && !error.retryable) return oneByOne(asked);
      for (const { reject } of asked) reject(error);
    }
  }

  async function oneByOne(asked: readonly Asked<Write, void>[]): Promise<void> {
    for (const { what, resolve, reject } of asked) await one(what.item, what.options).then(resolve, reject);
  }
}
