import { type LogLine, type LogSource, type LogSpan, traceOf } from "./log-source.ts";
import { type Story, storiesOf } from "./timeline.ts";

/** What somebody wants to know of; everything when nothing is named. */
export interface Asked {
  readonly application?: string;
  /** Id of a delivery, a sweep or an action. */
  readonly delivery?: string;
  readonly sync?: string;
}

export interface LookedUp {
  readonly stories: readonly Story[];
  /** True when there were more. */
  readonly cut: boolean;
}

/** Stories that are told at once; the newest. */
const mostStories = 20;

/** The stories that an answer belongs to: first the lines that were asked for, then all that led to them. */
export async function lookUp(source: LogSource, asked: Asked, span: LogSpan): Promise<LookedUp> {
  const { application, delivery, sync } = asked;
  const first =
    delivery === undefined
      ? await source.find(
          sync !== undefined
            ? { kind: "sync", id: sync }
            : application === undefined
              ? { kind: "traced" }
              : { kind: "application", name: application },
          span,
        )
      : { lines: [], cut: false };
  const traces = delivery === undefined ? [...new Set(first.lines.map(traceOf))].filter((id) => id !== "") : [delivery];
  if (traces.length === 0) return { stories: [], cut: first.cut };
  const ids = newest(traces, first.lines);
  const { lines, cut } = await source.find({ kind: "correlation", ids }, withEarlier(span));
  const own = ownLines(lines, { ...asked, ...ownerOf(first.lines, asked) });
  return { stories: storiesOf(own), cut: first.cut || cut || ids.length < traces.length };
}

/** A story may have begun before what is asked for. */
function withEarlier({ since, ...rest }: LogSpan): LogSpan {
  return { since: new Date(since.getTime() - 3_600_000), ...rest };
}

/** Lines come oldest first. */
function newest(traces: readonly string[], lines: readonly LogLine[]): readonly string[] {
  if (traces.length <= mostStories) return traces;
  const last = [...new Set(lines.map(traceOf).toReversed())].filter((id) => traces.includes(id));
  return last.slice(0, mostStories);
}

/** A sync is one application's. */
function ownerOf(lines: readonly LogLine[], { sync }: Asked): Pick<Asked, "application"> {
  const application = sync === undefined ? undefined : lines[0]?.fields["application"];
  return typeof application === "string" ? { application } : {};
}

/** The lines of others stay out; those of nobody in particular, such as a delivery's, stay. */
export function ownLines(lines: readonly LogLine[], { application, sync }: Asked): readonly LogLine[] {
  return lines.filter(({ fields, event }) => {
    if (event === "metrics") return false;
    if (sync !== undefined && fields["sync"] !== undefined && fields["sync"] !== sync) return false;
    const { application: of, applications: among } = fields;
    if (application === undefined) return true;
    if (Array.isArray(among)) return among.includes(application);
    return of === undefined || of === application;
  });
}
