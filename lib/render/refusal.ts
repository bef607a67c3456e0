import { DriftlessError } from "../errors.ts";

/** The error for something that is in the way, with the path first. */
export function refusal(path: string, message: string): DriftlessError {
  return new DriftlessError("render", `${path || "the repository's root"}: ${message}`, { facts: { file: path } });
}
