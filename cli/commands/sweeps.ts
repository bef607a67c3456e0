import type { SweepReport } from "../../lib/model/drift.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { fetchApi } from "../api-client.ts";
import { type Command, type Invocation, textOption } from "../command.ts";
import { shortTime, textTable } from "../table.ts";

export const sweeps: Command = {
  usage: "sweeps [CLUSTER] [--limit 20]",
  summary: "what sweeps found and cost, newest first; the last one of each cluster without a name",
  help: "\n  --limit N    at most so many rows of a cluster (1 to 500; default 20)\n",
  options: { limit: { type: "string" } },
  positionals: { least: 0, most: 1 },
  async run(invocation) {
    const [cluster] = invocation.positionals;
    const limit = textOption(invocation, "limit") ?? (cluster === undefined ? "1" : "20");
    const clusters = cluster === undefined ? await clusterNames(invocation) : [cluster];
    const pages = await Promise.all(
      clusters.map((name) =>
        fetchApi<{ readonly items: readonly SweepReport[] }>(
          `/clusters/${encodeURIComponent(name)}/sweeps?limit=${encodeURIComponent(limit)}`,
          invocation,
        ),
      ),
    );
    const items = pages.flatMap((page) => page.items);
    const headings = [
      "STARTED",
      "CLUSTER",
      "SECONDS",
      "OBJECTS",
      "DRIFTED",
      "HEALING",
      "REQUESTS",
      "DRY RUNS",
      "READ",
      "CPU",
      "MEMORY",
      "ERRORS",
    ];
    const rows = items.map((report) => [
      shortTime(report.startedAt),
      report.cluster,
      (report.durationMs / 1000).toFixed(1),
      String(report.objects),
      String(report.drifted),
      String(report.healing.length),
      String(report.requests),
      String(report.dryRuns),
      `${(report.bytes / 2 ** 20).toFixed(1)} MiB`,
      report.cpuMs === undefined ? "-" : `${(report.cpuMs / 1000).toFixed(1)} s`,
      report.peakMemoryMiB === undefined ? "-" : `${report.peakMemoryMiB} MiB`,
      report.errors.join("\n") || "-",
    ]);
    return { text: textTable(headings, rows, { empty: "no sweeps" }), json: stringifyJson(items as unknown as JsonValue) };
  },
};

async function clusterNames(invocation: Invocation): Promise<readonly string[]> {
  const { items } = await fetchApi<{ readonly items: readonly { readonly cluster: string }[] }>("/applications", invocation);
  return [...new Set(items.map(({ cluster }) => cluster))].sort();
}
