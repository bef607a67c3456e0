import { parseDuration } from "../../lib/config/duration.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { act } from "../action.ts";
import { type Command, type Invocation, textOption, UsageError } from "../command.ts";

export const suspend: Command = {
  usage: "suspend APP --reason TEXT [--owner NAME] [--for 2h | --until TIME]",
  summary: "stops all syncs of an application, healing included",
  help: `
  --reason TEXT   why, for people; it has to be given
  --owner NAME    who answers for it (default: who asks)
  --for 2h        until that time from now
  --until TIME    until then, such as 2026-01-31T18:00:00Z; without either until \`driftless resume APP\`
`,
  options: { reason: { type: "string" }, owner: { type: "string" }, for: { type: "string" }, until: { type: "string" } },
  positionals: { least: 1, most: 1 },
  run(invocation) {
    const reason = textOption(invocation, "reason") ?? "";
    if (reason.trim() === "") throw new UsageError("--reason is missing: say why, for whoever meets it");
    const owner = textOption(invocation, "owner") ?? "";
    return act(invocation, { action: "suspend", body: { reason, owner, until: untilTime(invocation) } });
  },
};

/** RFC 3339; "" for no end. */
function untilTime(invocation: Invocation): string {
  const [length, until] = [textOption(invocation, "for"), textOption(invocation, "until")];
  if (length !== undefined && until !== undefined)
    throw new UsageError("--for and --until are two ways to say the same: give one");
  if (length !== undefined) {
    const seconds = parseDuration(length);
    if (seconds === undefined) throw new UsageError(`--for is a duration such as 30m or 24h, not ${length}`);
    return new Date(systemClock.now().getTime() + seconds * 1000).toISOString();
  }
  if (until === undefined) return "";
  const time = Date.parse(until);
  if (Number.isNaN(time)) throw new UsageError(`--until is a time such as 2026-01-31T18:00:00Z, not ${until}`);
  return new Date(time).toISOString();
}
