/** What one chart may cost. */
export interface ChartLimits {
  /** Bytes of an archive. Default 50 MiB. */
  readonly archiveBytes: number;
  /** Bytes of an index.yaml, decompressed. Default 50 MiB. */
  readonly indexBytes: number;
}

export const defaultChartLimits: ChartLimits = {
  archiveBytes: 50 * 1024 * 1024,
  indexBytes: 50 * 1024 * 1024,
};
