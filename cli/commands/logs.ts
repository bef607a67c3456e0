import { parseDuration } from "../../lib/config/duration.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { redact } from "../../lib/telemetry/redact.ts";
import { type Command, flag, type Invocation, type Output, textOption, UsageError } from "../command.ts";
import { readRunning } from "../local/running.ts";
import { followStories } from "../logs/follow.ts";
import { createLocalLogSource } from "../logs/local-file.ts";
import type { LogSource } from "../logs/log-source.ts";
import { type Asked, lookUp } from "../logs/look-up.ts";
import { type Story, storyText } from "../logs/timeline.ts";

export const logs: Command = {
  usage: "logs [APP] [--delivery ID] [--sync ID] [--since 1h] [--follow] [--stack NAME] [--region REGION]",
  summary: "what happened, from the delivery to the row: a timeline of all functions' log lines",
  help: `
  --delivery ID    only what this delivery set off; also the id of a sweep or an action
  --sync ID        only this sync, and what led to it
  --since 1h       how far back (default 1h)
  --follow         what happens from now on, as it happens
  --stack NAME     service and stage on AWS (default DRIFTLESS_STACK, else driftless-prod)
  --region REGION  its region (default AWS_REGION)
`,
  options: {
    delivery: { type: "string" },
    sync: { type: "string" },
    since: { type: "string" },
    follow: { type: "boolean" },
    stack: { type: "string" },
  },
  positionals: { least: 0, most: 1 },
  async run(invocation) {
    const asked = askedOf(invocation);
    const seconds = sinceSeconds(invocation);
    const source = await openSource(invocation);
    const ending = new AbortController();
    const end = (): void => ending.abort();
    process.once("SIGINT", end).once("SIGTERM", end);
    try {
      if (flag(invocation, "follow")) return await follow(source, { asked, invocation, signal: ending.signal });
      const until = systemClock.now();
      const since = new Date(until.getTime() - seconds * 1000);
      const found = await lookUp(source, asked, { since, until, signal: ending.signal });
      if (found.cut)
        invocation.say("there is more than one answer holds: the newest lines are here; ask for less, or a shorter --since");
      return output(found.stories, `nothing in the last ${textOption(invocation, "since") ?? "1h"} in ${source.place}`);
    } finally {
      process.removeListener("SIGINT", end).removeListener("SIGTERM", end);
    }
  },
};

function askedOf(invocation: Invocation): Asked {
  const [application] = invocation.positionals;
  const [delivery, sync] = [textOption(invocation, "delivery"), textOption(invocation, "sync")];
  if (delivery !== undefined && sync !== undefined) throw new UsageError("--delivery and --sync cannot stand together");
  return {
    ...(application === undefined ? {} : { application }),
    ...(delivery === undefined ? {} : { delivery }),
    ...(sync === undefined ? {} : { sync }),
  };
}

function sinceSeconds(invocation: Invocation): number {
  const text = textOption(invocation, "since") ?? "1h";
  const seconds = parseDuration(text);
  if (seconds === undefined || seconds === 0) throw new UsageError(`--since is a duration such as 30m or 24h, not ${text}`);
  return seconds;
}

/** What is named comes first, then what runs here, then AWS where its region is known. */
async function openSource(invocation: Invocation): Promise<LogSource> {
  const { environment, say } = invocation;
  const named = textOption(invocation, "stack") ?? environment["DRIFTLESS_STACK"];
  const region = invocation.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const isNamed = named !== undefined || invocation.region !== undefined;
  const running = isNamed ? undefined : await readRunning(environment);
  if (running?.log !== undefined) return createLocalLogSource({ file: running.log });
  if (region === undefined) {
    throw new DriftlessError(
      "config",
      isNamed
        ? "--region is missing: name the region of the stack, with it or with AWS_REGION"
        : "no Driftless is known here: start one with `npm start`, or name one on AWS with --stack and --region",
    );
  }
  const { createCloudWatchLogSource, openCloudWatch } = await import("../logs/cloudwatch.ts");
  const stack = named ?? "driftless-prod";
  return createCloudWatchLogSource({ client: openCloudWatch(environment, { region }), stack, region, say });
}

async function follow(
  source: LogSource,
  { asked, invocation, signal }: { readonly asked: Asked; readonly invocation: Invocation; readonly signal: AbortSignal },
): Promise<Output> {
  invocation.say(`following ${source.place}; Ctrl-C ends it`);
  const lines = followStories(source, asked, { json: invocation.output === "json", signal });
  for await (const line of lines) process.stdout.write(redact(`${line}\n`));
  return { text: "", json: "" };
}

function output(stories: readonly Story[], empty: string): Output {
  const text = stories.length === 0 ? `${empty}\n` : stories.map(storyText).join("\n");
  return { text, json: stringifyJson(stories as unknown as JsonValue) };
}
