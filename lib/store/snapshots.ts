import { DriftlessError } from "../errors.ts";
import { canonicalJson, parseJson } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { numberOf } from "./attributes.ts";
import { deflate, inflate } from "./deflated.ts";
import type { Items } from "./items.ts";
import type { Parts } from "./parts.ts";
import type { Seal } from "./seal.ts";
import type { SnapshotStore } from "./store.ts";

/**
 * A snapshot is its objects as canonical JSON lines, named by the keyed digest of that text, deflated and sealed under its name.
 * Sealing draws a new nonce each time, so two savers of one snapshot write other bytes: parts of one never mix with the other's.
 */
export function createSnapshots({ items, parts, seal }: { items: Items; parts: Parts; seal: Seal }): SnapshotStore {
  return {
    async save(objects, options) {
      const text = objects.map((object) => `${canonicalJson(object)}\n`).join("");
      const id = seal.digest(text);
      const key = keyOf(id);
      const stored = await items.get(key, options);
      if (stored && (await parts.complete(stored, options))) return id;
      const head = await parts.write(key.pk, seal.seal(await deflate(text), id), options);
      const item = { ...key, ...head, count: objects.length };
      // Of two that save the same in one item either may stand.
      if (!stored && head.parts === 0) {
        await items.put(item, options);
        return id;
      }
      // A stored head whose parts are not all there is replaced; one that another saver has just written stands.
      const when = stored
        ? { text: "#version = :broken", values: { broken: stored["version"] ?? "" } }
        : { text: "attribute_not_exists(#pk)" };
      const { written } = await items.put(item, { ...options, when });
      if (!written && (await items.get(key, options))?.["version"] !== head.version) {
        await parts.remove({ ...key, ...head }, options);
      }
      return id;
    },
    async load(id, options) {
      const head = await items.get(keyOf(id), options);
      if (!head) throw new DriftlessError("not-found", `snapshot ${id} is not stored`, { facts: { snapshot: id } });
      const sealed = await parts.read(head, options);
      if (!sealed) throw new DriftlessError("not-found", `snapshot ${id} is incomplete`, { facts: { snapshot: id } });
      const text = await inflate(seal.open(sealed, id));
      const objects = text.split("\n").slice(0, -1);
      if (seal.digest(text) !== id || objects.length !== numberOf(head, "count")) {
        throw new DriftlessError("store", `snapshot ${id} is not what was saved`, { facts: { snapshot: id } });
      }
      return objects.map((line) => parseJson(line) as Manifest);
    },
  };
}

function keyOf(id: string) {
  return { pk: `snapshot#${id}`, sk: "head" };
}
