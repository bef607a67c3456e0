import { parseDuration } from "../../lib/config/duration.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { displayRef } from "../../lib/model/resource.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { fetchApi } from "../api-client.ts";
import { type Command, textOption, UsageError } from "../command.ts";
import { shortTime, textTable } from "../table.ts";

export const drift: Command = {
  usage: "drift [APP] [--since 24h]",
  summary: "what differs from Git, or did: field, was, is, by whom, healed when",
  help: "\n  --since 24h   also what was healed within that time (default 24h); open drift is always shown\n",
  options: { since: { type: "string" } },
  positionals: { least: 0, most: 1 },
  async run(invocation) {
    const [name] = invocation.positionals;
    const path = name === undefined ? "/drift" : `/applications/${encodeURIComponent(name)}/drift`;
    const since = sinceTime(textOption(invocation, "since") ?? "24h");
    const { items } = await fetchApi<{ readonly items: readonly DriftRow[] }>(
      `${path}?since=${encodeURIComponent(since)}&limit=500`,
      invocation,
    );
    const headings = ["APPLICATION", "OBJECT", "KIND", "FIELD", "DESIRED", "LIVE", "MANAGER", "CHANGED", "FIRST SEEN", "HEALED"];
    const rows = items.map((row) => [
      row.application,
      displayRef(row.ref),
      row.kind,
      row.field || "-",
      shown(row.desired),
      shown(row.live),
      row.manager || "-",
      shortTime(row.changedAt),
      shortTime(row.firstSeen),
      shortTime(row.healedAt),
    ]);
    return { text: textTable(headings, rows, { empty: "no drift" }), json: stringifyJson(items as unknown as JsonValue) };
  },
};

function sinceTime(text: string): string {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--since is a duration such as 30m or 24h, not ${text}`);
  return new Date(systemClock.now().getTime() - seconds * 1000).toISOString();
}

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "-";
  const text = typeof value === "string" ? value : stringifyJson(value);
  return text.length > 48 ? `${text.slice(0, 45)}...` : text;
}
