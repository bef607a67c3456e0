import { act } from "../action.ts";
import { type Command, textOption } from "../command.ts";
import { followHelp, followOptions } from "../follow.ts";

export const rollback: Command = {
  usage: "rollback APP [REVISION] [--reason TEXT]",
  summary: "goes back to an earlier sync that succeeded, also with Git away; the next commit syncs again",
  help: `\n  --reason TEXT   why, for \`driftless status\`\n${followHelp}\nREVISION is the beginning of a commit in \`driftless history APP\`; without it: what stood before.\n`,
  options: { reason: { type: "string" }, ...followOptions },
  positionals: { least: 1, most: 2 },
  run(invocation) {
    const [, revision = ""] = invocation.positionals;
    return act(invocation, { action: "rollback", body: { revision, reason: textOption(invocation, "reason") ?? "" } });
  },
};
