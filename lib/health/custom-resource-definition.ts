import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, wordsOf } from "./read.ts";

/** Healthy when the API server serves its kind. A schema that is not structural is a fault even where it is served. */
export function assessCustomResourceDefinition(live: Manifest): Health {
  const terminating = conditionOf(live, "Terminating");
  if (terminating?.status === "True") return health("Progressing", wordsOf(terminating));
  const names = conditionOf(live, "NamesAccepted");
  if (names?.status === "False") return health("Degraded", wordsOf(names));
  const schema = conditionOf(live, "NonStructuralSchema");
  if (schema?.status === "True") return health("Degraded", wordsOf(schema));
  const established = conditionOf(live, "Established");
  if (established?.status === "True") return healthy;
  if (established?.status === "False" && established.reason !== "Installing") return health("Degraded", wordsOf(established));
  return health("Progressing", "it is not established yet");
}
