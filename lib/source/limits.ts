/** What one answer of a Git server may cost. */
export interface SourceLimits {
  /** Bytes of one pack on the wire. Default 50 MiB. */
  readonly packBytes: number;
  /** Bytes of all objects of one pack, inflated and deltas resolved. Default 256 MiB. */
  readonly expandedBytes: number;
  /** Objects in one pack. Default 100,000. */
  readonly objects: number;
}

export const defaultLimits: SourceLimits = {
  packBytes: 50 * 1024 * 1024,
  expandedBytes: 256 * 1024 * 1024,
  objects: 100_000,
};
