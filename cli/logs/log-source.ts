/** One line of the functions' log; what it says beside time, level and event is in `fields`. */
export interface LogLine {
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What is looked for; `traced` is everything that belongs to a delivery, a sweep or an action. */
export type LogQuestion =
  | { readonly kind: "traced" }
  | { readonly kind: "application"; readonly name: string }
  | { readonly kind: "sync"; readonly id: string }
  /** Ids of deliveries, sweeps and actions. */
  | { readonly kind: "correlation"; readonly ids: readonly string[] };

export interface LogSpan {
  readonly since: Date;
  readonly until: Date;
  readonly signal?: AbortSignal;
}

export interface FoundLines {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** True when there were more: the newest ones are here. */
  readonly cut: boolean;
}

/** Where the functions' log is kept. */
export interface LogSource {
  /** For people: where it is. */
  readonly place: string;
  /** Throws `config` with the place when it cannot be asked, or does not answer in time. */
  find(question: LogQuestion, span: LogSpan): Promise<FoundLines>;
  /** What is written from now on, as it comes, until the signal is aborted. */
  follow(options: { readonly signal: AbortSignal }): AsyncIterable<LogLine>;
}

/** As many lines as one question is answered with: what CloudWatch gives at most. */
export const mostLines = 10_000;

/** Undefined for what is no line of ours: what the runtime prints, or a crash. */
export function parseLogLine(text: string): LogLine | undefined {
  try {
    const { time, level, event, ...fields } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof time !== "string" || typeof level !== "string" || typeof event !== "string") return undefined;
    return { time, level, event, fields };
  } catch {
    return undefined;
  }
}

/** The delivery, sweep or action that a line belongs to; "" for none. What a sweep starts has the sweep's id. */
export function traceOf({ fields }: LogLine): string {
  const id = fields["correlationId"] ?? fields["sweep"];
  return typeof id === "string" ? id : "";
}

/** Whether a line is an answer to a question. */
export function answers(line: LogLine, question: LogQuestion): boolean {
  switch (question.kind) {
    case "traced":
      return typeof line.fields["correlationId"] === "string";
    case "application":
      return line.fields["application"] === question.name && line.event !== "metrics";
    case "sync":
      return line.fields["sync"] === question.id;
    case "correlation":
      return [line.fields["correlationId"], line.fields["sweep"]].some((id) => question.ids.includes(id as string));
    default:
      return question satisfies never;
  }
}
