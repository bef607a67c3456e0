import { type JsonValue, stringifyJson } from "../lib/model/json.ts";
import { postApi } from "./api-client.ts";
import { flag, type Invocation, type Output } from "./command.ts";
import { type Asked, type Followed, follow, followSeconds, hasEnded } from "./follow.ts";
import { oneLine, shortRevision } from "./table.ts";

/** What the API says of something that was done. */
interface Taken extends Asked {
  readonly outcome: "started" | "done";
  readonly message: string;
}

/** Asks the API to act on an application, and waits for the sync that comes of it. */
export async function act(
  invocation: Invocation,
  { action, body = {} }: { readonly action: string; readonly body?: JsonValue },
): Promise<Output> {
  const [name = ""] = invocation.positionals;
  const seconds = followSeconds(invocation);
  const taken = await postApi<Taken>(`/applications/${encodeURIComponent(name)}/${action}`, body, invocation);
  const said = `${name}: ${taken.message}`;
  if (taken.outcome === "done" || flag(invocation, "no-wait")) return { text: `${oneLine(said)}\n`, json: jsonOf(taken) };
  invocation.say(said);
  const followed = await follow([taken], invocation, { seconds });
  return { ...outcomeOf(followed), json: jsonOf({ ...taken, ...followed[0] }) };
}

/** How the syncs ended, for people, and the exit status: 1 unless every one succeeded. */
export function outcomeOf(followed: readonly Followed[]): Pick<Output, "text" | "status"> {
  const text = followed.flatMap(linesOf).map((line) => `${oneLine(line)}\n`);
  const good = followed.every(({ phase }) => phase === "Succeeded" || phase === "Removed");
  return { text: text.join(""), status: good ? 0 : 1 };
}

function linesOf(one: Followed): readonly string[] {
  const { application, revision, phase, health, errors, notes } = one;
  const stands = hasEnded(one) ? `${phase}, ${health.status}` : `${phase} still, and goes on: driftless status`;
  return [
    `${application} ${shortRevision(revision)}: ${stands}`,
    ...errors.map((error) => `  ${error}`),
    ...notes.map((note) => `  Note: ${note}`),
  ];
}

export function jsonOf(value: object): string {
  return stringifyJson(value as JsonValue);
}
