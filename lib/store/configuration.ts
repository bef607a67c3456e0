import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { ConfigurationStore, StoredConfiguration } from "./store.ts";

const key = { pk: "configuration", sk: "configuration" };
const problemKey = { pk: "configuration", sk: "problem" };

export function createConfiguration({ items }: { items: Items }): ConfigurationStore {
  return {
    async save(stored, options) {
      await items.put({ ...key, ...pack(stored) }, options);
    },
    async load(options) {
      const item = await items.get(key, options);
      return item && (unpack(item) as StoredConfiguration);
    },
    async saveProblem(problem, options) {
      await items.put({ ...problemKey, ...pack({ problem }) }, options);
    },
    async loadProblem(options) {
      const item = await items.get(problemKey, options);
      return item === undefined ? "" : (unpack(item) as { readonly problem: string }).problem;
    },
  };
}
