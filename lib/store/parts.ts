import type { CallOptions } from "../model/call.ts";
import { type Item, numberOf, textOf } from "./attributes.ts";
import { concurrently } from "./concurrent.ts";
import { largestItem } from "./document.ts";
import type { Items } from "./items.ts";

/** The attributes of a head item that lead to its bytes: in itself (`parts` 0), or in so many items of that `version`. */
export interface Head extends Item {
  readonly parts: number;
  readonly version: string;
}

/**
 * Bytes of any size below one partition key. Parts stand under a version of their own and are written before the head
 * that names it, so a reader finds either the old bytes or the new ones, whoever is cut off in between.
 */
export interface Parts {
  /** Writes the parts, and returns what the head must hold. */
  write(pk: string, bytes: Uint8Array, options?: CallOptions): Promise<Head>;
  /** Undefined when a part is missing. */
  read(head: Item, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** True when no part is missing; reads no bytes. */
  complete(head: Item, options?: CallOptions): Promise<boolean>;
  remove(head: Item, options?: CallOptions): Promise<void>;
}

export function createParts({
  items,
  newId,
  partBytes = largestItem,
}: {
  items: Items;
  newId: () => string;
  partBytes?: number;
}): Parts {
  return {
    async write(pk, bytes, options) {
      const version = newId();
      if (bytes.length <= partBytes) return { parts: 0, version, bytes };
      const parts = Math.ceil(bytes.length / partBytes);
      await concurrently(range(parts), async (index) => {
        const part = bytes.subarray(index * partBytes, (index + 1) * partBytes);
        await items.put({ pk, sk: partKey(version, index), bytes: part }, options);
      });
      return { parts, version };
    },
    async read(head, options) {
      const inline = head["bytes"];
      if (inline instanceof Uint8Array) return inline;
      const found = await items.query({ ...options, keys: partsOf(head) });
      const pieces = found.map((part) => part["bytes"]).filter((piece) => piece instanceof Uint8Array);
      return pieces.length === numberOf(head, "parts") && pieces.length > 0 ? Buffer.concat(pieces) : undefined;
    },
    async complete(head, options) {
      if (numberOf(head, "parts") === 0) return true;
      return (await items.count({ ...options, keys: partsOf(head) })) === numberOf(head, "parts");
    },
    async remove(head, options) {
      const [pk, version] = [textOf(head, "pk"), textOf(head, "version")];
      await concurrently(range(numberOf(head, "parts")), (index) => items.remove({ pk, sk: partKey(version, index) }, options));
    },
  };
}

function partsOf(head: Item) {
  return {
    text: "#pk = :pk AND begins_with(#sk, :prefix)",
    values: { pk: textOf(head, "pk"), prefix: `part#${textOf(head, "version")}#` },
  };
}

function partKey(version: string, index: number): string {
  return `part#${version}#${index.toString().padStart(4, "0")}`;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
