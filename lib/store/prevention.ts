import type { Prevention } from "../model/prevention.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { PreventionStore } from "./store.ts";

const pk = "prevention";

export function createPreventionStore({ items }: { items: Items }): PreventionStore {
  return {
    async load(cluster, options) {
      const item = await items.get({ pk, sk: cluster }, options);
      return item && (unpack(item) as Prevention);
    },
    async list(options) {
      const keys = { text: "#pk = :pk", values: { pk } };
      return (await items.query({ ...options, keys })).map((item) => unpack(item) as Prevention);
    },
    async save(prevention, options) {
      await items.put({ pk, sk: prevention.cluster, ...pack(prevention) }, options);
    },
    async remove(cluster, options) {
      await items.remove({ pk, sk: cluster }, options);
    },
  };
}
