import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { applyDelta, deltaResultSize } from "./delta.ts";
import type { SourceLimits } from "./limits.ts";
import { type GitObject, idLength, type ObjectFormat, objectId } from "./objects.ts";
import { damagedPack, type EntryHeader, headerBytes, inflateEntry, readEntryHeader } from "./pack-entry.ts";

export interface PackOptions {
  readonly format: ObjectFormat;
  readonly limits: SourceLimits;
  /** Objects held already, on which a thin pack's deltas may stand. */
  readonly base?: (oid: string) => GitObject | undefined;
}

interface Entry {
  readonly offset: number;
  readonly kind: EntryHeader["kind"];
  readonly body: Uint8Array;
}

const fileHeaderBytes = 12;
/** Inflating is synchronous; after this many bytes others get a turn. */
const bytesPerTurn = 4 * 1024 * 1024;

/** All objects of a pack by id, each id computed from its body; a pack that is cut, changed or beyond a limit throws `source`. */
export async function readPack(
  pack: Buffer,
  packOptions: PackOptions,
  options: CallOptions = {},
): Promise<Map<string, GitObject>> {
  const budget = createBudget(packOptions.limits);
  const count = checkFrame(pack, packOptions);
  const entries = await inflateAll(pack, count, { ...packOptions, budget }, options);
  return resolveDeltas(entries, { ...packOptions, budget });
}

interface Budget {
  spend(bytes: number): void;
}

function createBudget({ expandedBytes }: SourceLimits): Budget {
  let left = expandedBytes;
  return {
    spend: (bytes) => {
      left -= bytes;
      if (left < 0) throw new DriftlessError("source", `the pack expands to more than ${expandedBytes} bytes; it is refused`);
    },
  };
}

/** Checks header and trailer; gives the number of entries. */
function checkFrame(pack: Buffer, { format, limits }: PackOptions): number {
  const trailer = pack.length - idLength(format);
  if (trailer < fileHeaderBytes || pack.toString("latin1", 0, 4) !== "PACK")
    throw damagedPack("it is not a pack, or ends too early");
  const version = pack.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw damagedPack(`it has the unknown version ${version}`);
  const digest = createHash(format).update(pack.subarray(0, trailer)).digest();
  if (!digest.equals(pack.subarray(trailer))) throw damagedPack("its checksum is wrong");
  const count = pack.readUInt32BE(8);
  if (count > limits.objects) {
    throw new DriftlessError("source", `the pack has ${count} objects, more than ${limits.objects}; it is refused`);
  }
  return count;
}

async function inflateAll(
  pack: Buffer,
  count: number,
  { format, budget }: PackOptions & { readonly budget: Budget },
  { signal }: CallOptions,
): Promise<readonly Entry[]> {
  const end = pack.length - idLength(format);
  const entries: Entry[] = [];
  let turn = 0;
  let at = fileHeaderBytes;
  for (let index = 0; index < count; index += 1) {
    const header = readEntryHeader(pack.subarray(at, Math.min(at + headerBytes, end)), format);
    budget.spend(header.size);
    const { body, consumed } = inflateEntry(pack.subarray(at + header.length, end), header.size);
    entries.push({ offset: at, kind: header.kind, body });
    at += header.length + consumed;
    turn += header.size;
    if (turn > bytesPerTurn) {
      turn = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  if (at !== end) throw damagedPack("bytes are left after its last entry");
  return entries;
}

/** Whole objects first, then every delta as soon as its base is there: each entry is visited once, however long the chains. */
function resolveDeltas(entries: readonly Entry[], options: PackOptions & { readonly budget: Budget }): Map<string, GitObject> {
  const { format, budget } = options;
  const objects = new Map<string, GitObject>();
  const waiting = new Map<string | number, Entry[]>();
  let unresolved = 0;
  const ready: { readonly object: GitObject; readonly offset: number; readonly external?: string }[] = [];
  for (const entry of entries) {
    if ("type" in entry.kind) {
      ready.push({ object: { type: entry.kind.type, body: entry.body }, offset: entry.offset });
      continue;
    }
    unresolved += 1;
    const base = "back" in entry.kind ? entry.offset - entry.kind.back : entry.kind.baseId;
    const others = waiting.get(base);
    if (others === undefined) waiting.set(base, [entry]);
    else others.push(entry);
  }
  const settle = (): void => {
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      const { object, offset } = next;
      const oid = next.external ?? objectId(object, format);
      if (next.external === undefined) objects.set(oid, object);
      for (const base of [offset, oid]) {
        for (const entry of waiting.get(base) ?? []) {
          budget.spend(deltaResultSize(entry.body));
          ready.push({ object: { type: object.type, body: applyDelta(object.body, entry.body) }, offset: entry.offset });
          unresolved -= 1;
        }
        waiting.delete(base);
      }
    }
  };
  settle();
  for (const base of waiting.keys()) {
    const object = typeof base === "string" ? options.base?.(base) : undefined;
    if (object !== undefined) ready.push({ object, offset: -1, external: String(base) });
  }
  settle();
  const [missing] = waiting.keys();
  if (unresolved > 0) throw damagedPack(`${unresolved} of its deltas have no base`, { facts: { missing: String(missing) } });
  return objects;
}
