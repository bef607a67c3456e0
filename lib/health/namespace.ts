import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionsOf, health, healthy, textAt, wordsOf } from "./read.ts";

/** A namespace that can't be emptied says in its conditions what holds it. */
export function assessNamespace(live: Manifest): Health {
  if (textAt(live, "status", "phase") !== "Terminating") return healthy;
  const holding = conditionsOf(live).find(({ status }) => status === "True");
  return health("Progressing", holding === undefined ? "it is being deleted" : `it is being deleted: ${wordsOf(holding)}`);
}
