import type { Health, HealthStatus } from "../model/health.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, textAt, valueAt } from "./read.ts";

/** What words of phases, states and reasons mean, written as `spaced` gives them; the first match decides. */
const meanings: readonly (readonly [RegExp, HealthStatus])[] = [
  [/^(not found|missing)$/, "Missing"],
  [/^unknown$/, "Unknown"],
  [/^(no|without|zero) (errors?|warnings?|failures?|issues?)$/, "Healthy"],
  [
    /\b(fail\w*|err|error\w*|invalid\w*|lost|unhealthy|degraded|crash\w*|reject\w*|abort\w*|denied|stalled|exceeded|conflict\w*|not found|unreachable|forbidden|unauthorized|refused|timeout|timed out|cancell?ed|unrecoverable|irreconcilable|rolled back|corrupt\w*|broken|killed|evicted|warn|warning|non ?compliant|expired|back off|misconfigured|inconclusive|unsupported|unsatisfiable|incompatible|not allowed|not supported|not accepted|incorrect\w*|mismatch\w*|missing|unable|can ?not|could not|severe|critical|red)\b/,
    "Degraded",
  ],
  [/\bnot (controlled|set properly|configured)\b/, "Degraded"],
  [/^(suspended|paused|hibernated|hibernating|disabled|stopped|scaled to zero|offline|sleeping|on hold)$/, "Suspended"],
  [/^not (yet )?\w+ed$/, "Progressing"],
  [
    /^(?!.*\b(not|in|un|partially|until|for|to)\b).*\b(running|ready|active|available|bound|complete|completed|green|healthy|ok|online|succeeded|successful|successfully|success|synced|valid|installed|deployed|stable|up|established|finished|done|reconciled|attached|connected|compliant|normal|issued|live|provisioned|passed|admitted|accepted|initialized|executed|enabled|converged|merged|imported|configured|registered|resolved|satisfied|served|optimal|idle|exists|operational|applied)$/,
    "Healthy",
  ],
  [/\b((?!missing)\w+ing|progress|in ?progress|wait|not reconciled|yellow|init|initial|unavailable)\b/, "Progressing"],
  [
    /^(created|scheduled|requested|submitted|queued|import scheduled|running .+|new|started|launched|planned|unscheduled)$/,
    "Progressing",
  ],
];

/** What a controller's word means, be it `ImagePullBackOff`, `ROLLED_BACK` or a sentence; undefined for one that is not known. */
export function meaningOf(word: string): HealthStatus | undefined {
  const words = spaced(word);
  return meanings.find(([pattern]) => pattern.test(words))?.[1];
}

/** `ImagePullBackOff` and `IMAGE_PULL_BACK_OFF` become `image pull back off`. */
function spaced(word: string): string {
  return word
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .replace(/[_\-\s:.,;()'"]+/g, " ")
    .trim()
    .toLowerCase();
}

/** Fields of status in which controllers keep one word for the whole object; what was or shall be says nothing of now. */
const wordField =
  /^(?!desired|target|previous|prev|last(?!Operation)|old|expected|requested|wanted)(.*(phase|state|status|health)|lifecycle|stage)$/i;
/** Objects of status that hold such a field. */
const wordHolder =
  /^(?!desired|target|previous|prev|old|expected).*(state|status|result|operation|deployment|job|cluster|health|instance)$/i;

/** Judges by `status.phase` and its like; undefined when no word is known. The worst word decides. */
export function assessByStatusWords(live: Manifest): Health | undefined {
  const status = valueAt(live, "status");
  if (!isJsonObject(status)) return undefined;
  if (status["healthy"] === false) return health("Degraded", "its status says that it is not healthy");
  const found = [...wordsIn(status), ...holdersIn(status).flatMap(wordsIn)].map((word) =>
    runsToAnEnd(live) && /\brunning\b/i.test(word.message) ? health("Progressing", word.message) : word,
  );
  const against = found.filter(({ status: meaning }) => meaning !== "Healthy").sort((a, b) => severity(a) - severity(b))[0];
  if (against !== undefined) return withReason(against, status);
  if (status["ready"] === false) return health("Progressing", "its status says that it is not ready");
  return found.length > 0 || status["ready"] === true || status["healthy"] === true ? healthy : undefined;
}

/** Kinds that are done when they end: that they run is not yet what was asked for. */
function runsToAnEnd({ kind }: Manifest): boolean {
  return (
    /(Job|Run|Workflow|Backup|Restore|Migration|Task|Test|Scan|Snapshot|Upgrade)$/.test(kind) &&
    !/^(Scaled|Cron|Scheduled)/.test(kind)
  );
}

const worstFirst: readonly HealthStatus[] = ["Degraded", "Missing", "Suspended", "Progressing", "Unknown"];

function severity({ status }: Health): number {
  return worstFirst.indexOf(status);
}

function wordsIn(status: JsonObject): readonly Health[] {
  return Object.entries(status).flatMap(([name, word]) => {
    if (!wordField.test(name) || typeof word !== "string" || (name === "state" && word === "Created")) return [];
    const meaning = meaningOf(word);
    return meaning === undefined ? [] : [health(meaning, `its ${name} is ${word}`)];
  });
}

function holdersIn(status: JsonObject): readonly JsonObject[] {
  return Object.entries(status).flatMap(([name, value]) => (wordHolder.test(name) && isJsonObject(value) ? [value] : []));
}

/** Beside their word controllers often keep a sentence. */
function withReason(found: Health, status: JsonObject): Health {
  const reason = ["message", "statusMessage", "error", "errorMessage", "reason", "description"]
    .map((name) => textAt(status, name))
    .find((text) => text !== "");
  return reason === undefined ? found : health(found.status, `${found.message}: ${reason}`);
}
