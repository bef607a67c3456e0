/** One measured number; the goal, where there is one, is the most that it may be. */
export interface Figure {
  /** Stable, for machines: `one-changed-applied`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly value: number;
  readonly unit: "ms" | "s" | "x" | "requests" | "objects" | "renders" | "files" | "CPU s" | "KB" | "MiB";
  readonly goal?: number;
}

/** The figures of one case, under a heading. */
export interface CaseFigures {
  readonly title: string;
  readonly figures: readonly Figure[];
}

/** Undefined where there is no goal. */
export function holds({ value, goal }: Figure): boolean | undefined {
  return goal === undefined ? undefined : value <= goal;
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The smallest value that at least so many percent of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** To the digits that a measurement on a shared machine bears: three, and whole numbers whole. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
