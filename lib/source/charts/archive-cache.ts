export interface ArchiveCache {
  get(key: string): Uint8Array | undefined;
  set(key: string, archive: Uint8Array): void;
}

/** Least recently used archives go first once `maxBytes` are held; one that is larger alone is not kept. */
export function createArchiveCache({ maxBytes }: { readonly maxBytes: number }): ArchiveCache {
  const entries = new Map<string, Uint8Array>();
  let bytes = 0;

  const take = (key: string): Uint8Array | undefined => {
    const archive = entries.get(key);
    if (archive === undefined) return undefined;
    entries.delete(key);
    bytes -= archive.length;
    return archive;
  };
  const put = (key: string, archive: Uint8Array): void => {
    entries.set(key, archive);
    bytes += archive.length;
  };
  return {
    get(key) {
      const archive = take(key);
      if (archive !== undefined) put(key, archive);
      return archive;
    },
    set(key, archive) {
      if (archive.length > maxBytes) return;
      take(key);
      put(key, archive);
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        take(oldest);
      }
    },
  };
}
