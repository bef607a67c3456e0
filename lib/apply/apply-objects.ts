import { setTimeout as delay } from "node:timers/promises";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { type Applied, type ApplyContext, type Attempt, applyObject } from "./apply-object.ts";
import type { DesiredObject } from "./prepare.ts";

export type { Applied } from "./apply-object.ts";

export interface ApplyRequest extends ApplyContext {
  /** Stage after stage; objects of one stage at once. */
  readonly stages: readonly (readonly DesiredObject[])[];
}

const atOnce = 8;

/**
 * Milliseconds before each further try of what may pass by itself: a new namespace has no service account for a moment, an
 * object on its way out may be gone soon. What stays is left to the sweep.
 */
const pauses = [100, 200, 400, 800, 1600];

/** So many objects in a row for which the API server could not be reached mean that it is away; fewer, that it is overloaded. */
const mostAway = 3;

/** A new kind can take some seconds until every API server serves it. */
const pausesForKinds = [...pauses, 3200, 3200, 3200, 3200, 3200];

/**
 * Applies stage by stage. One object's failure is a result, and the others still apply; an API server that cannot be
 * reached, or a lease that was lost, ends it with an error.
 */
export async function applyObjects(request: ApplyRequest, options: CallOptions = {}): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const stage of request.stages) applied.push(...(await applyStage(stage, request, options)));
  return applied;
}

async function applyStage(
  stage: readonly DesiredObject[],
  request: ApplyRequest,
  options: CallOptions,
): Promise<readonly Applied[]> {
  const results = new Map<DesiredObject, Attempt>();
  for (let attempt = 0; ; attempt++) {
    if (!(await request.stillMine())) throw new DriftlessError("lease", "another run took the application over");
    const due = stage.filter((object) => isDue(results.get(object), attempt));
    let away = 0;
    const work = async (object: DesiredObject): Promise<Attempt> => {
      const result = await applyObject(object, request, options);
      away = result.away === undefined ? 0 : away + 1;
      if (result.away !== undefined && away >= Math.min(mostAway, due.length)) throw result.away;
      return result;
    };
    const tried = await mapConcurrently(due, { limit: atOnce, work });
    for (const [index, object] of due.entries()) results.set(object, tried[index] as Attempt);
    if (!tried.some((result) => isDue(result, attempt + 1))) break;
    await delay(pausesForKinds[attempt], undefined, options);
  }
  return stage.flatMap((object) => results.get(object) ?? []);
}

function isDue(result: Attempt | undefined, attempt: number): boolean {
  if (result === undefined) return true;
  return result.retryable && attempt <= (result.refusal === "not-served" ? pausesForKinds : pauses).length;
}
