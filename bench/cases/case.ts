import type { Bed } from "../bed.ts";
import type { Figure } from "../figures.ts";

/** One thing that is measured. */
export interface BenchCase {
  /** What `--only` is matched with; its figures' names begin with it. */
  readonly name: string;
  readonly title: (applications: number) => string;
  /** True for what the first sync has to come before, whether or not it is asked for. */
  readonly afterFirstSync?: true;
  readonly run: (bed: Bed) => Promise<readonly Figure[]>;
}

/** Leaves out the figures that this system could not give. */
export function figures(...all: readonly (Omit<Figure, "value"> & { readonly value: number | undefined })[]): readonly Figure[] {
  return all.flatMap(({ value, ...rest }) => (value === undefined || Number.isNaN(value) ? [] : [{ ...rest, value }]));
}

/** Undefined when one of them is. */
export function allOf(values: readonly (number | undefined)[]): readonly number[] {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : [];
}
