import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionsOf, health, healthy, wordsOf } from "./read.ts";

/** Reasons by which the autoscaler says that it can't do its work; others (no replicas, nothing to do) are no fault. */
const failing = /^(Failed|Invalid|Ambiguous)/;

export function assessHorizontalPodAutoscaler(live: Manifest): Health {
  const conditions = conditionsOf(live);
  const failure = conditions.find(
    ({ type, status, reason }) =>
      (type === "AbleToScale" || type === "ScalingActive") && status === "False" && failing.test(reason),
  );
  if (failure !== undefined) return health("Degraded", wordsOf(failure));
  const working = conditions.some(({ type, status }) => type === "AbleToScale" && status === "True");
  const limited = conditions.some(({ type, status }) => type === "ScalingLimited" && status === "True");
  return working || limited ? healthy : health("Progressing", "the autoscaler has not looked at it yet");
}
