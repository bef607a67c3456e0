import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import type { FieldChange, PlannedAction, PlannedChange, SyncPreview } from "../../lib/model/plan.ts";
import { displayRef } from "../../lib/model/resource.ts";
import { fetchApi } from "../api-client.ts";
import { type Command, textOption } from "../command.ts";
import { oneLine, shortRevision } from "../table.ts";

export const plan: Command = {
  usage: "plan APP [--revision R]",
  summary: "what a sync would create, change field by field, delete and refuse; nothing is written",
  help: "\n  --revision R   a commit or branch to render in place of the newest state\n\nExit status 1 when the API server would refuse something.\n",
  options: { revision: { type: "string" } },
  positionals: { least: 1, most: 1 },
  async run(invocation) {
    const [name = ""] = invocation.positionals;
    const revision = textOption(invocation, "revision");
    const query = revision === undefined ? "" : `?revision=${encodeURIComponent(revision)}`;
    const preview = await fetchApi<SyncPreview>(`/applications/${encodeURIComponent(name)}/plan${query}`, invocation);
    const status = preview.changes.some(({ action }) => action === "fail") ? 1 : 0;
    return { text: planText(preview), json: stringifyJson(preview as unknown as JsonValue), status };
  },
};

const marks: Readonly<Record<PlannedAction, string>> = {
  create: "+ create",
  change: "~ change",
  recreate: "! recreate",
  delete: "- delete",
  keep: "= keep",
  hook: "> hook",
  fail: "x refused",
};

/** A plan as people read it. */
export function planText(preview: SyncPreview): string {
  const { application, cluster, revision, changes, blocked, warnings } = preview;
  const lines = [
    `${application} in ${cluster} at ${shortRevision(revision)}`,
    ...warnings.map((warning) => `Note: ${warning}`),
    "",
    ...changes.flatMap(changeLines),
    ...(changes.length === 0 ? [] : [""]),
    countLine(preview),
    ...(blocked === "" ? [] : [`Blocked: ${blocked}`]),
    hashLine(preview),
  ];
  return `${lines.map(oneLine).join("\n")}\n`;
}

function changeLines({ action, ref, fields, reason }: PlannedChange): readonly string[] {
  const head = `${marks[action].padEnd(10)} ${displayRef(ref)}`;
  return [reason === "" ? head : `${head}: ${reason}`, ...fields.map(fieldLine)];
}

function fieldLine({ path, from, to, manager }: FieldChange): string {
  const owner = manager === "" ? "" : ` (owned by ${manager})`;
  return `${" ".repeat(13)}${path || "the object"}: ${shown(from)} -> ${shown(to)}${owner}`;
}

/** A text as it stands, unless that could be taken for a number, for nothing or for more than one value. */
function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "-";
  return typeof value === "string" && isPlain(value) ? value : stringifyJson(value);
}

function isPlain(text: string): boolean {
  return /^[^\s"{[-][^\n"]*$/.test(text) && Number.isNaN(Number(text)) && !/^(?:true|false|null)$/.test(text);
}

function countLine({ changes, unchanged }: SyncPreview): string {
  const count = (action: PlannedAction) => changes.filter((change) => change.action === action).length;
  const more = [
    [count("recreate"), "to recreate"],
    [count("hook"), "to run"],
    [count("keep"), "kept"],
    [count("fail"), "refused"],
  ] as const;
  return [
    `${count("create")} to create, ${count("change")} to change, ${count("delete")} to delete, ${unchanged} unchanged`,
    ...more.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`),
  ].join(", ");
}

function hashLine({ application, hash, needsApproval }: SyncPreview): string {
  return needsApproval === true ? `Hash ${hash}. To let it be synced: driftless approve ${application} ${hash}` : `Hash ${hash}`;
}
