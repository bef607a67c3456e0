import { act } from "../action.ts";
import type { Command } from "../command.ts";
import { followHelp, followOptions } from "../follow.ts";

export const resume: Command = {
  usage: "resume APP",
  summary: "ends a suspension, and syncs what waited",
  help: `\n${followHelp}`,
  options: followOptions,
  positionals: { least: 1, most: 1 },
  run: (invocation) => act(invocation, { action: "resume" }),
};
