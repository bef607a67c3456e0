type Line = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));
const listed = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(", ") : text(value));
const because = (value: unknown): string => (text(value) === "" ? "" : `: ${text(value)}`);
/** The audit log leads to the same events as a sweep. */
const finder = (line: Line): string => (line["function"] === "audit" ? "audit" : "sweep");
const short = (revision: unknown): string => text(revision).slice(0, 7);

function counted(line: Line): string {
  const counts = (line["counts"] ?? {}) as Readonly<Record<string, number>>;
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.length === 0 ? "nothing to do" : parts.map(([fate, count]) => `${count} ${fate}`).join(", ");
}

/** What the log events of a working day mean to a reader; other events stay in the log. */
const sentences: Readonly<Record<string, (line: Line) => string>> = {
  "webhook.queued": (line) => `push received: ${text(line["branch"])}, delivery ${text(line["correlationId"])}`,
  "plan.begun": (line) => `plan: ${text(line["branch"])} is at ${short(line["revision"])}`,
  "plan.render": (line) => `plan: ${text(line["application"])} is rendered: ${text(line["reason"])}`,
  "plan.failed": (line) => `plan: ${text(line["application"])} FAILED: ${text(line["error"])}`,
  "plan.refused": (line) => `plan: REFUSED: ${text(line["error"])}`,
  "plan.removed": (line) => `plan: ${text(line["application"])} left the configuration`,
  "action.taken": (line) => `${text(line["action"])}: ${text(line["application"])}: ${text(line["message"])}`,
  "action.refused": (line) => `${text(line["action"])}: ${text(line["application"])}: REFUSED: ${text(line["reason"])}`,
  "action.rebuild": (line) => `rebuild: ${text(line["applications"])} applications of ${text(line["cluster"])}`,
  "sync.begun": (line) => `sync: ${text(line["application"])} begins at ${short(line["revision"])}`,
  "sync.waiting": (line) => `sync: ${text(line["application"])} is ${text(line["health"])}${because(line["message"])}`,
  "sync.recorded": (line) => `sync: ${text(line["application"])} ${text(line["phase"])} (${counted(line)})${errorsOf(line)}`,
  "sweep.drift": (line) =>
    `${finder(line)}: ${text(line["application"])} drifted: ${text(line["ref"])} ${text(line["field"]) || text(line["kind"])} by ${text(line["manager"]) || "someone"}`,
  "sweep.heal": (line) => `${finder(line)}: heals ${listed(line["applications"])}`,
  "sweep.fight": (line) =>
    `${finder(line)}: ${text(line["application"])}: FIGHT over ${text(line["ref"])} ${text(line["field"])}: ${listed(line["managers"])}`,
  "sweep.late": (line) => `sweep: LATE: the one before it began ${text(line["ageSeconds"])} s ago`,
  "sweep.delivery-replayed": (line) => `sweep: queues ${text(line["branch"])} again for delivery ${text(line["correlationId"])}`,
  "sync.disturbed": (line) =>
    `sync: ${text(line["application"])}: ${text(line["ref"])} ${text(line["field"]) || text(line["kind"])} changed by ${text(line["manager"]) || "someone"} while it is waited for`,
  "sweep.head-moved": (line) => `sweep: ${text(line["branch"])} moved without a webhook`,
  "sweep.restarted": (line) => `sweep: starts again ${listed(line["applications"])}`,
};

/** An event of the bus in one line. */
export function narrateEvent({ detailType, detail }: { readonly detailType: string; readonly detail: Line }): string {
  if (detailType === "SweepLate") return `event ${detailType}: the sweep before began ${text(detail["ageSeconds"])} s ago`;
  const [row] = (detail["rows"] ?? []) as readonly Line[];
  const { kind = "", namespace = "", name = "" } = (row?.["ref"] ?? {}) as Line;
  const count = Number(detail["count"] ?? 0);
  const more = count > 1 ? `, and ${count - 1} more` : "";
  const object = `${text(kind)} ${text(namespace)}${namespace === "" ? "" : "/"}${text(name)}`;
  const field = text(row?.["field"]) || text(row?.["kind"]);
  return `event ${detailType}: ${text(detail["application"])}: ${object} ${field}${more}`;
}

function errorsOf(line: Line): string {
  const errors = line["errors"];
  return Array.isArray(errors) && errors.length > 0 ? `\n  ${errors.map(text).join("\n  ")}` : "";
}

/** A log line as a sentence; undefined for what a reader need not see. Lines that are no log lines come back as they are. */
export function narrate(line: string): string | undefined {
  let event: Line;
  try {
    event = JSON.parse(line) as Line;
  } catch {
    return line;
  }
  const sentence = sentences[text(event["event"])];
  if (sentence !== undefined) return sentence(event);
  return event["level"] === "error" ? `${text(event["event"])}: ${text(event["error"])}` : undefined;
}
