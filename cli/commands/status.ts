import type { Health } from "../../lib/model/health.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import type { SyncRecord } from "../../lib/model/sync.ts";
import { fetchApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { shortRevision, shortTime, textTable } from "../table.ts";

interface ApplicationRow {
  readonly name: string;
  readonly cluster: string;
  readonly sync: string;
  readonly health: Health;
  readonly revision: string;
  readonly drifted: number;
  readonly planError: string;
  readonly lastSync?: SyncRecord;
}

export const status: Command = {
  usage: "status",
  summary: "every application: synced, healthy, drifted",
  help: "",
  options: {},
  positionals: { least: 0, most: 0 },
  async run(invocation) {
    const { items } = await fetchApi<{ readonly items: readonly ApplicationRow[] }>("/applications", invocation);
    const headings = ["APPLICATION", "CLUSTER", "SYNC", "HEALTH", "REVISION", "DRIFT", "LAST SYNC", "MESSAGE"];
    const rows = items.map((row) => [
      row.name,
      row.cluster,
      row.sync,
      row.health.status,
      shortRevision(row.revision),
      String(row.drifted),
      row.lastSync === undefined ? "-" : `${row.lastSync.phase} ${shortTime(row.lastSync.finishedAt || row.lastSync.startedAt)}`,
      row.planError || row.lastSync?.errors[0] || row.health.message,
    ]);
    return {
      text: textTable(headings, rows, { empty: "no applications yet" }),
      json: stringifyJson(items as unknown as JsonValue),
    };
  },
};
