import type { DriftlessError } from "../../errors.ts";
import { type ChartVersion, chartError, isExactVersion } from "./place.ts";

interface Parsed {
  readonly numbers: readonly number[];
  /** Empty for a release. */
  readonly prerelease: readonly string[];
}

/** The existing versions next to a wanted one, in the order of semantic versions, newest first. */
export function nearestVersions(wanted: string, existing: readonly string[]): readonly string[] {
  const count = 5;
  const sorted = existing.filter(isExactVersion).sort((a, b) => compareVersions(b, a));
  const older = sorted.findIndex((version) => compareVersions(version, wanted) <= 0);
  const middle = older < 0 ? sorted.length : older;
  const first = Math.max(0, Math.min(middle - Math.floor(count / 2), sorted.length - count));
  return sorted.slice(first, first + count);
}

/** `source`: the version is not among those that exist. */
export function noSuchVersion(chart: ChartVersion, existing: readonly string[]): DriftlessError {
  const near = nearestVersions(chart.version, existing);
  const advice = near.length === 0 ? "the repository has none at all" : `the nearest are ${near.join(", ")}`;
  return chartError(chart, `there is no such version; ${advice}`);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

/** A release is newer than its prereleases; numbers count as numbers and come before words. */
function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [a, b] = [left[index], right[index]];
    if (a === b) continue;
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumberA && isNumberB) return Number(a) - Number(b);
    if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return 0;
}

function parse(version: string): Parsed {
  const [core = "", ...rest] = version.replace(/^v/, "").replace(/\+.*$/, "").split("-");
  const prerelease = rest.join("-");
  return { numbers: core.split(".").map(Number), prerelease: prerelease === "" ? [] : prerelease.split(".") };
}
