import type { AdditionsPolicy, Application, DriftPolicy } from "../model/application.ts";
import { displayRef, type Manifest, refOf } from "../model/resource.ts";
import { applyOptionsOf } from "./options.ts";

/** What is done about the drift of one object. */
export interface DriftOptions {
  readonly drift: DriftPolicy;
  /** `report` where others share the object, even if the application asks for `drift`. */
  readonly additions: AdditionsPolicy;
  /** Values without a meaning, a sentence each. */
  readonly problems: readonly string[];
}

/** By which the manifest of one object states its own policy. */
export const driftAnnotation = "driftless.dev/drift";
const additionsAnnotation = "driftless.dev/additions";

const driftPolicies: readonly DriftPolicy[] = ["heal", "report", "prevent", "ignore"];
const additionsPolicies: readonly AdditionsPolicy[] = ["ignore", "report", "drift"];

/**
 * What the annotations of an object in Git ask for, or else its application. Whoever may edit the object in the cluster has no say:
 * never give it a live one.
 */
export function driftOptionsOf(
  manifest: Manifest | undefined,
  { drift, additions }: Pick<Application, "drift" | "additions">,
): DriftOptions {
  if (manifest === undefined) return { drift, additions, problems: [] };
  const [ownDrift, driftProblem] = wordOf(manifest, driftAnnotation, driftPolicies);
  const [ownAdditions, additionsProblem] = wordOf(manifest, additionsAnnotation, additionsPolicies);
  const wanted = ownAdditions ?? additions;
  return {
    drift: ownDrift ?? drift,
    additions: wanted === "drift" && !applyOptionsOf(manifest).adopt ? "report" : wanted,
    problems: [...driftProblem, ...additionsProblem],
  };
}

/** True when a sweep that finds drift has it put right. */
export function isHealing({ drift }: Pick<DriftOptions, "drift">): boolean {
  return drift === "heal" || drift === "prevent";
}

function wordOf<Word extends string>(
  manifest: Manifest,
  annotation: string,
  words: readonly Word[],
): readonly [Word | undefined, readonly string[]] {
  const written = manifest.metadata.annotations?.[annotation];
  if (written === undefined) return [undefined, []];
  const word = words.find((candidate) => candidate === written.trim().toLowerCase());
  if (word !== undefined) return [word, []];
  const advice = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  const problem = `${displayRef(refOf(manifest))}: annotation ${annotation}: "${written}" has no meaning, so it is left out; write ${advice}`;
  return [undefined, [problem]];
}
