import type { Health, HealthStatus } from "../model/health.ts";
import { isJsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { health, valueAt } from "./read.ts";

/** What words of phases, states and reasons mean, the first match deciding; controllers differ in form, hardly in words. */
const meanings: readonly (readonly [RegExp, HealthStatus])[] = [
  [/^(not_?found|missing)$/i, "Missing"],
  [/^unknown$/i, "Unknown"],
  [/fail|error|invalid|lost|unhealthy|degraded|crash|reject|abort|denied|^stalled|exceeded|conflict|notfound|^red$/i, "Degraded"],
  [/^(suspended|paused|hibernated|hibernating|disabled|stopped)$/i, "Suspended"],
  [
    /^(.*running|ready|active|available|bound|complete|completed|green|healthy|ok|online|succeeded|success|synced|valid)$/i,
    "Healthy",
  ],
  [
    /(creat|initializ|install|reconcil|updat|upgrad|scal|provision|start|delet|deploy|import|apply|migrat|expand|roll|issu|bind|clon|schedul|wait|configur)ing|progress|pending|notreconciled|^yellow$/i,
    "Progressing",
  ],
  [/^(created|scheduled|requested|importscheduled|running.+|.+ing)$/i, "Progressing"],
];

/** What a controller's word means; undefined for a word that is not known. */
export function meaningOf(word: string): HealthStatus | undefined {
  return meanings.find(([pattern]) => pattern.test(word))?.[1];
}

/** Fields of status in which controllers keep one word for the whole object. */
const wordField = /^(phase|state|status|health|currentState|currentStatus|updateStatus|lastOperationStatus|.+ClusterStatus)$/;

/** Judges by `status.phase` and its like; undefined when no word speaks against the object. The worst word decides. */
export function assessByStatusWords(live: Manifest): Health | undefined {
  const status = valueAt(live, "status");
  if (!isJsonObject(status)) return undefined;
  if (status["healthy"] === false) return health("Degraded", "its status says that it is not healthy");
  const order: readonly HealthStatus[] = ["Degraded", "Missing", "Suspended", "Progressing", "Unknown"];
  const found = Object.entries(status).flatMap(([name, word]) => {
    if (!wordField.test(name) || typeof word !== "string" || (name === "state" && word === "Created")) return [];
    const meaning = meaningOf(word);
    return meaning === undefined || meaning === "Healthy" ? [] : [health(meaning, `its ${name} is ${word}`)];
  });
  return found.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0];
}
