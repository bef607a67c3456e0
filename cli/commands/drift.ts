import { parseDuration } from "../../lib/config/duration.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { displayRef } from "../../lib/model/resource.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { fetchApi } from "../api-client.ts";
import { type Command, flag, type Invocation, textOption, UsageError } from "../command.ts";
import { shortTime, textTable } from "../table.ts";

/** Requests of one listing; the rows of each come at once. */
const mostPages = 200;
/** What the API has more of than a table has room for. */
const rowsOfPage = "500";

const facts = ["cluster", "namespace", "kind", "manager"] as const;

export const drift: Command = {
  usage: "drift [APP] [--since 24h] [--manager NAME] [--cluster NAME] [--namespace NAME] [--kind KIND] [--open]",
  summary: "what differs from Git, or did: field, was and is, by whom and when, healed by which sync",
  help: `
  --since 24h       also what was healed within that time (default 24h); open drift is always shown
  --open            only what is open
  --manager NAME    only what that field manager changed, such as kubectl-edit
  --cluster NAME    only in that cluster
  --namespace NAME  only objects in that namespace
  --kind KIND       only objects of that kind, such as Deployment or apps/Deployment
`,
  options: {
    since: { type: "string" },
    open: { type: "boolean" },
    manager: { type: "string" },
    cluster: { type: "string" },
    namespace: { type: "string" },
    kind: { type: "string" },
  },
  positionals: { least: 0, most: 1 },
  async run(invocation) {
    const rows = await fetchRows(invocation);
    const headings = ["APPLICATION", "OBJECT", "KIND", "FIELD", "WAS -> IS", "WHO", "WHEN", "STATE"];
    const lines = rows.map((row) => [
      row.application,
      displayRef(row.ref),
      row.kind,
      row.field || "-",
      row.field === "" ? "-" : `${shown(row.desired)} -> ${shown(row.live)}`,
      whoOf(row),
      shortTime(row.by?.at ?? row.changedAt),
      stateOf(row),
    ]);
    return { text: textTable(headings, lines, { empty: "no drift" }), json: stringifyJson(rows as unknown as JsonValue) };
  },
};

async function fetchRows(invocation: Invocation): Promise<readonly DriftRow[]> {
  const [name] = invocation.positionals;
  const path = name === undefined ? "/drift" : `/applications/${encodeURIComponent(name)}/drift`;
  const query = queryOf(invocation);
  const rows: DriftRow[] = [];
  for (let page = 0; page < mostPages; page += 1) {
    const { items, next } = await fetchApi<{ readonly items: readonly DriftRow[]; readonly next?: string }>(
      `${path}?${query.toString()}`,
      invocation,
    );
    rows.push(...items);
    if (next === undefined) return rows;
    query.set("from", next);
  }
  invocation.say(`these are the first ${rows.length} rows; narrow them by --since, --open, --manager, --namespace or --kind`);
  return rows;
}

function queryOf(invocation: Invocation): URLSearchParams {
  const query = new URLSearchParams({ limit: rowsOfPage });
  const since = sinceTime(textOption(invocation, "since") ?? "24h");
  if (flag(invocation, "open")) query.set("open", "true");
  else query.set("since", since);
  for (const fact of facts) {
    const value = textOption(invocation, fact);
    if (value === "") throw new UsageError(`--${fact} is empty: say which, or leave it out`);
    if (value !== undefined) query.set(fact, value);
  }
  return query;
}

function sinceTime(text: string): string {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--since is a duration such as 30m or 24h, not ${text}`);
  return new Date(systemClock.now().getTime() - seconds * 1000).toISOString();
}

/** The user where the audit log told, else the field manager. */
function whoOf({ by, manager }: DriftRow): string {
  if (by === undefined) return manager || "-";
  return by.breakGlass === true ? `${by.user} (break-glass)` : by.user;
}

function stateOf({ kind, fight, healedAt, healedBy }: DriftRow): string {
  if (kind === "prevented") return `refused ${shortTime(healedAt)}`;
  if (healedAt !== "") return `healed ${shortTime(healedAt)}${healedBy === "" ? "" : ` by sync ${healedBy}`}`;
  return fight === undefined ? "open" : `open: fight of ${fight.managers.join(" and ")}, ${fight.reverts} reverts within an hour`;
}

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "-";
  const text = typeof value === "string" ? value : stringifyJson(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
