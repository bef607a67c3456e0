import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { ConfigurationStore, StoredConfiguration } from "./store.ts";

const key = { pk: "configuration", sk: "configuration" };

export function createConfiguration({ items }: { items: Items }): ConfigurationStore {
  return {
    async save(stored, options) {
      await items.put({ ...key, ...pack(stored) }, options);
    },
    async load(options) {
      const item = await items.get(key, options);
      return item && (unpack(item) as StoredConfiguration);
    },
  };
}
