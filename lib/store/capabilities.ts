import type { ClusterCapabilities } from "../model/application-source.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { CapabilitiesStore } from "./store.ts";

export function createCapabilities({ items }: { items: Items }): CapabilitiesStore {
  return {
    async load(cluster, options) {
      const item = await items.get(keyOf(cluster), options);
      return item && (unpack(item) as ClusterCapabilities);
    },
    async save(cluster, capabilities, options) {
      await items.put({ ...keyOf(cluster), ...pack(capabilities) }, options);
    },
  };
}

function keyOf(cluster: string) {
  return { pk: `capabilities#${cluster}`, sk: "capabilities" };
}
