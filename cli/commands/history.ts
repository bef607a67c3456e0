import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import type { SyncRecord } from "../../lib/model/sync.ts";
import { fetchApi } from "../api-client.ts";
import { type Command, textOption } from "../command.ts";
import { shortRevision, shortTime, textTable } from "../table.ts";

export const history: Command = {
  usage: "history APP [--limit 50]",
  summary: "the syncs of an application, newest first",
  help: "\n  --limit N    at most so many rows (1 to 500)\n",
  options: { limit: { type: "string" } },
  positionals: { least: 1, most: 1 },
  async run(invocation) {
    const [name = ""] = invocation.positionals;
    const limit = encodeURIComponent(textOption(invocation, "limit") ?? "50");
    const { items } = await fetchApi<{ readonly items: readonly SyncRecord[] }>(
      `/applications/${encodeURIComponent(name)}/syncs?limit=${limit}`,
      invocation,
    );
    const headings = [
      "STARTED",
      "SECONDS",
      "PHASE",
      "TRIGGER",
      "ATTEMPT",
      "REVISION",
      "CREATED",
      "CONFIGURED",
      "UNCHANGED",
      "PRUNED",
      "FAILED",
      "ERRORS",
      "NOTES",
    ];
    const rows = items.map(({ startedAt, finishedAt, phase, trigger, attempt, revision, counts, errors, notes }) => [
      shortTime(startedAt),
      finishedAt === "" ? "-" : ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1),
      phase,
      trigger,
      String(attempt),
      shortRevision(revision),
      ...[counts.created, counts.configured, counts.unchanged, counts.pruned, counts.failed].map(String),
      errors.join("\n") || "-",
      notes.join("\n") || "-",
    ]);
    return {
      text: textTable(headings, rows, { empty: `no syncs of ${name}` }),
      json: stringifyJson(items as unknown as JsonValue),
    };
  },
};
