import { type LogQuestion, mostLines } from "./log-source.ts";

/** A saved query of CloudWatch Logs Insights; infra/queries.yml deploys the same text. */
export interface SavedQuery {
  readonly text: string;
  /** The functions whose log groups it reads. */
  readonly functions: readonly LoggingFunction[];
}

export const loggingFunctions = ["webhook", "plan", "sync", "sweep", "shard", "audit", "preview", "api"] as const;
export type LoggingFunction = (typeof loggingFunctions)[number];

/** What stands in the timeline's text where an id belongs. */
const idPlaceholder = "CORRELATION_ID";

export const savedQueries = {
  "driftless-deliveries": {
    functions: ["webhook", "plan"],
    text: `fields @timestamp, correlationId, event, state, reason, repository, branch, after, error
| filter event in ["webhook.queued", "webhook.answered", "webhook.duplicate", "webhook.refused", "webhook.failed", "plan.refused"]
| sort @timestamp desc
| limit 500`,
  },
  "driftless-timeline": {
    functions: ["webhook", "plan", "sync", "sweep", "shard", "audit", "api"],
    text: `fields @timestamp, function, level, event, application, sync, @message
| filter correlationId in ["${idPlaceholder}"] or sweep in ["${idPlaceholder}"]
| sort @timestamp asc
| limit ${mostLines}`,
  },
  "driftless-slowest-renders": {
    functions: ["plan"],
    text: `filter event = "plan.rendered"
| stats max(durationMs) as slowest, avg(durationMs) as mean, count(*) as renders, max(objects) as most by application
| sort slowest desc
| limit 50`,
  },
  "driftless-drift-by-manager": {
    functions: ["shard", "audit", "sync"],
    text: `filter event in ["sweep.drift", "sync.disturbed"]
| stats count(*) as edits, count_distinct(ref) as objects by manager, application
| sort edits desc
| limit 100`,
  },
} as const satisfies Readonly<Record<string, SavedQuery>>;

/** The text that asks a question: that of the saved timeline with another filter, newest first so that a limit keeps these. */
export function queryText(question: LogQuestion): string {
  return savedQueries["driftless-timeline"].text
    .replace(/^\| filter .*$/m, () => `| filter ${filterOf(question)}`)
    .replace("sort @timestamp asc", "sort @timestamp desc");
}

function filterOf(question: LogQuestion): string {
  switch (question.kind) {
    case "traced":
      return "ispresent(correlationId)";
    case "application":
      return `application = ${quoted(question.name)} and event != "metrics"`;
    case "sync":
      return `sync = ${quoted(question.id)}`;
    case "correlation": {
      const ids = `[${question.ids.map(quoted).join(", ")}]`;
      return `correlationId in ${ids} or sweep in ${ids}`;
    }
    default:
      return question satisfies never;
  }
}

/** What is asked for comes from the command line, and must stay inside its quotes. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
