import { act } from "../action.ts";
import { type Command, flag } from "../command.ts";
import { followHelp, followOptions } from "../follow.ts";

export const sync: Command = {
  usage: "sync APP [--force]",
  summary: "syncs what waits; where nothing waits, what is desired once more",
  help: `\n  --force         also while its sync windows are closed\n${followHelp}`,
  options: { force: { type: "boolean" }, ...followOptions },
  positionals: { least: 1, most: 1 },
  run: (invocation) => act(invocation, { action: "sync", body: { force: flag(invocation, "force") } }),
};
