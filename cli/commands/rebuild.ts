import { jsonOf, outcomeOf } from "../action.ts";
import { postApi } from "../api-client.ts";
import { type Command, flag } from "../command.ts";
import { type Asked, follow, followHelp, followOptions, followSeconds } from "../follow.ts";
import { oneLine } from "../table.ts";

interface Rebuilt {
  readonly items: readonly Asked[];
  readonly skipped: readonly { readonly application: string; readonly reason: string }[];
}

export const rebuild: Command = {
  usage: "rebuild CLUSTER",
  summary: "brings everything that is recorded of a cluster to it once more, in dependency order",
  help: `\n${followHelp}`,
  options: followOptions,
  positionals: { least: 1, most: 1 },
  async run(invocation) {
    const [cluster = ""] = invocation.positionals;
    const seconds = followSeconds(invocation);
    const { items, skipped } = await postApi<Rebuilt>(`/clusters/${encodeURIComponent(cluster)}/rebuild`, {}, invocation);
    const left = skipped.map(({ application, reason }) => `${oneLine(`${application} is left out: ${reason}`)}\n`).join("");
    const started = `${items.length} applications of ${cluster} are synced again`;
    if (flag(invocation, "no-wait")) return { text: `${started}\n${left}`, json: jsonOf({ items, skipped }) };
    invocation.say(started);
    const followed = await follow(items, invocation, { seconds });
    const { text, status = 0 } = outcomeOf(followed);
    return { text: `${text}${left}`, status, json: jsonOf({ items: followed, skipped }) };
  },
};
