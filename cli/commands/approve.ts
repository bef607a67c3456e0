import { act } from "../action.ts";
import { type Command, flag } from "../command.ts";
import { followHelp, followOptions } from "../follow.ts";

export const approve: Command = {
  usage: "approve APP HASH [--force]",
  summary: "lets exactly the plan of that hash be synced, its deletes included",
  help: `\n  --force         also while its sync windows are closed\n${followHelp}\nThe hash is what \`driftless plan APP\` prints; a plan that has changed since is refused.\n`,
  options: { force: { type: "boolean" }, ...followOptions },
  positionals: { least: 2, most: 2 },
  run(invocation) {
    const [, hash = ""] = invocation.positionals;
    return act(invocation, { action: "approve", body: { hash, force: flag(invocation, "force") } });
  },
};
