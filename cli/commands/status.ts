import type { Suspension } from "../../lib/model/application.ts";
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
  /** What is rendered and waits, and why. */
  readonly pending?: { readonly revision: string; readonly reason: string };
  readonly suspended?: Suspension;
  /** What the desired state was rolled back from. */
  readonly rejected?: { readonly revision: string; readonly reason: string; readonly by: string };
  /** What is left of a removed application. */
  readonly kept?: readonly string[];
}

interface Overview {
  readonly items: readonly ApplicationRow[];
  /** Why the newest configuration is not in force; "" when it is. */
  readonly configurationProblem: string;
  /** Files that projects name and that still give what they gave before, and why. */
  readonly configurationProblems?: readonly FileProblem[];
  /** Clusters where drift is to be prevented and is not, and why. */
  readonly preventionProblems?: readonly { readonly cluster: string; readonly problem: string }[];
  /** When each cluster was last swept; "" for never. */
  readonly sweeps?: readonly { readonly cluster: string; readonly ageSeconds: number; readonly late: boolean }[];
}

interface FileProblem {
  readonly project: string;
  readonly repository: string;
  readonly targetRevision: string;
  readonly path: string;
  readonly problem: string;
}

export const status: Command = {
  usage: "status",
  summary: "every application: synced, healthy, drifted",
  help: "",
  options: {},
  positionals: { least: 0, most: 0 },
  async run(invocation) {
    const overview = await fetchApi<Overview>("/applications", invocation);
    const { items, configurationProblem, configurationProblems = [], preventionProblems = [], sweeps = [] } = overview;
    const warnings = `${warning(configurationProblem)}${configurationProblems.map(fileWarning).join("")}`;
    const headings = ["APPLICATION", "CLUSTER", "SYNC", "HEALTH", "REVISION", "DRIFT", "LAST SYNC", "MESSAGE"];
    const rows = items.map((row) => [
      row.name,
      row.cluster,
      row.sync,
      row.health.status,
      shortRevision(row.revision),
      String(row.drifted),
      row.lastSync === undefined ? "-" : `${row.lastSync.phase} ${shortTime(row.lastSync.finishedAt || row.lastSync.startedAt)}`,
      messageOf(row),
    ]);
    return {
      text: `${warnings}${clusterLines(preventionProblems, sweeps)}${textTable(headings, rows, { empty: "no applications yet" })}`,
      json: stringifyJson(items as unknown as JsonValue),
    };
  },
};

function messageOf(row: ApplicationRow): string {
  const { planError, lastSync, health } = row;
  const trouble = planError || lastSync?.errors[0] || health.message;
  return [...removal(row), ...policyFacts(row), ...(trouble === "" ? [] : [trouble])].join("; ");
}

function removal({ kept }: ApplicationRow): readonly string[] {
  if (kept === undefined) return [];
  const rest = kept.length <= mostKept ? kept : [...kept.slice(0, mostKept), `${kept.length - mostKept} more`];
  return [rest.length === 0 ? "it left the configuration" : `it left the configuration; still there: ${rest.join(", ")}`];
}

/** Why it is not at the newest commit though nothing failed. */
function policyFacts({ suspended, pending, rejected }: ApplicationRow): readonly string[] {
  const because = (reason: string): string => (reason === "" ? "" : `: ${reason}`);
  const end = suspended?.until ? ` until ${shortTime(suspended.until)}` : "";
  return [
    ...(suspended === undefined ? [] : [`Suspended by ${suspended.owner}${end}${because(suspended.reason)}`]),
    ...(pending === undefined ? [] : [`Pending ${shortRevision(pending.revision)}${because(pending.reason)}`]),
    ...(rejected === undefined
      ? []
      : [`RolledBack from ${shortRevision(rejected.revision)} by ${rejected.by}${because(rejected.reason)}`]),
  ];
}

/** Drift and lost webhooks wait for a sweep, and edits get through where prevention failed: who looks at the table has to know. */
function clusterLines(problems: NonNullable<Overview["preventionProblems"]>, sweeps: NonNullable<Overview["sweeps"]>): string {
  const late = sweeps.filter((sweep) => sweep.late);
  const lines = [
    ...problems.map(({ cluster, problem }) => `${cluster}: drift is not prevented: ${problem}\n`),
    ...late.map(({ cluster, ageSeconds }) => `${cluster}: last sweep ${ageText(ageSeconds)} ago, late\n`),
  ];
  return lines.length === 0 ? "" : `${lines.join("")}\n`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)}s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3600)}h`;
}

/** Objects that a table has room for. */
const mostKept = 3;

function warning(problem: string): string {
  return problem === ""
    ? ""
    : `The newest configuration is NOT in force; the one before still is:\n  ${problem.split("\n").join("\n  ")}\n\n`;
}

function fileWarning({ project, repository, targetRevision, path, problem }: FileProblem): string {
  const file = `${path} of ${repository} (${targetRevision}, project ${project})`;
  return `${file} is NOT in force as it is; what it gave before still is:\n  ${problem.split("\n").join("\n  ")}\n\n`;
}
