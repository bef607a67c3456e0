import type { Health } from "../model/health.ts";
import { parseJson } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionsOf, health, healthy, wordsOf } from "./read.ts";

/** Reasons by which the autoscaler says that it can't do its work; others (no replicas, nothing to do) are no fault. */
const failing = /^(Failed|Invalid|Ambiguous)/;

export function assessHorizontalPodAutoscaler(live: Manifest): Health {
  const conditions = conditionsOf(asV2(live));
  const failure = conditions.find(
    ({ type, status, reason }) =>
      (type === "AbleToScale" || type === "ScalingActive") && status === "False" && failing.test(reason),
  );
  if (failure !== undefined) return health("Degraded", wordsOf(failure));
  const working = conditions.some(({ type, status }) => type === "AbleToScale" && status === "True");
  const limited = conditions.some(({ type, status }) => type === "ScalingLimited" && status === "True");
  return working || limited ? healthy : health("Progressing", "the autoscaler has not looked at it yet");
}

/** Under `autoscaling/v1` the conditions are in an annotation. */
function asV2(live: Manifest): Manifest {
  const text = live.metadata.annotations?.["autoscaling.alpha.kubernetes.io/conditions"];
  if (text === undefined || live["status"] === undefined || conditionsOf(live).length > 0) return live;
  try {
    return { ...live, status: { conditions: parseJson(text) } };
  } catch {
    return live;
  }
}
