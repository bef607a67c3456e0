import type { ApplicationState } from "../model/sync.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { ApplicationStore } from "./store.ts";

/** All in one partition, since `status` and the sweep read them together. */
const pk = "application";

export function createApplications({ items, newId }: { items: Items; newId: () => string }): ApplicationStore {
  return {
    async list(options) {
      const found = await items.query({ ...options, keys: { text: "#pk = :pk", values: { pk } } });
      return found.map((item) => unpack(item) as ApplicationState);
    },
    async get(application, options) {
      const item = await items.get({ pk, sk: application }, options);
      return item && (unpack(item) as ApplicationState);
    },
    async put(state, options) {
      const key = { pk, sk: state.application };
      const writer = newId();
      const when =
        state.version === 1
          ? { text: "attribute_not_exists(#pk)" }
          : { text: "#version = :read", values: { read: state.version - 1 } };
      const { written } = await items.put({ ...key, ...pack(state), version: state.version, writer }, { ...options, when });
      if (written) return true;
      // The client repeats a write whose answer was lost, and then meets its own row.
      return (await items.get(key, options))?.["writer"] === writer;
    },
    remove(application, { version, ...options }) {
      return items.remove({ pk, sk: application }, { ...options, when: { text: "#version = :version", values: { version } } });
    },
  };
}
