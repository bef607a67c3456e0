import { numberOf } from "./attributes.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { ConfigurationStore, StoredConfiguration } from "./store.ts";

const key = { pk: "configuration", sk: "configuration" };
const settledKey = { pk: "configuration", sk: "settled" };
const problemKey = { pk: "configuration", sk: "problem" };

export function createConfiguration({ items }: { items: Items }): ConfigurationStore {
  // Each part of a plan, a sync and a sweep asks for it, and of a thousand applications it takes milliseconds to read.
  let last: { readonly packed: Uint8Array; readonly stored: StoredConfiguration } | undefined;
  return {
    async save(stored, options) {
      await items.put({ ...key, ...pack(stored) }, options);
    },
    async load(options) {
      const item = await items.get(key, options);
      if (item === undefined) return undefined;
      const { packed } = item;
      if (!(packed instanceof Uint8Array)) return unpack(item) as StoredConfiguration;
      if (last === undefined || Buffer.compare(packed, last.packed) !== 0)
        last = { packed, stored: unpack(item) as StoredConfiguration };
      return last.stored;
    },
    async saveProblem(problem, options) {
      await items.put({ ...problemKey, ...pack({ problem }) }, options);
    },
    async saveSettled(number, options) {
      await items.put({ ...settledKey, number }, options);
    },
    async loadSettled(options) {
      const item = await items.get(settledKey, options);
      return item === undefined ? 0 : numberOf(item, "number");
    },
    async loadProblem(options) {
      const item = await items.get(problemKey, options);
      return item === undefined ? "" : (unpack(item) as { readonly problem: string }).problem;
    },
  };
}
