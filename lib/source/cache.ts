import type { GitObject } from "./objects.ts";

/** Objects of one repository by id. */
export interface ObjectCache {
  get(oid: string): GitObject | undefined;
  set(oid: string, object: GitObject): void;
}

export interface SharedCache {
  /** Bodies held now. */
  readonly bytes: number;
  /**
   * The part of one repository. Objects are never shared between repositories: an id alone must not open
   * a body that its asker could not fetch.
   */
  of(repository: string): ObjectCache;
}

/** What a Map entry, its key and a Buffer cost beside the body. */
const overheadBytes = 400;

/** Least recently used bodies go first once `maxBytes` are held. */
export function createObjectCache({ maxBytes }: { readonly maxBytes: number }): SharedCache {
  const entries = new Map<string, GitObject>();
  let bytes = 0;

  const get = (key: string): GitObject | undefined => {
    const object = entries.get(key);
    if (object !== undefined) {
      entries.delete(key);
      entries.set(key, object);
    }
    return object;
  };
  const set = (key: string, object: GitObject): void => {
    if (costOf(object) > maxBytes || get(key) !== undefined) return;
    entries.set(key, object);
    bytes += costOf(object);
    for (const [oldest, old] of entries) {
      if (bytes <= maxBytes) break;
      entries.delete(oldest);
      bytes -= costOf(old);
    }
  };
  return {
    get bytes() {
      return bytes;
    },
    of: (repository) => ({
      get: (oid) => get(`${repository}\0${oid}`),
      set: (oid, object) => set(`${repository}\0${oid}`, object),
    }),
  };
}

function costOf(object: GitObject): number {
  return object.body.length + overheadBytes;
}
