import { oneLine, shortRevision } from "../table.ts";
import type { LogLine } from "./log-source.ts";

type Facts = LogLine["fields"];

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
const because = (value: unknown): string => (text(value) === "" ? "" : `: ${text(value)}`);
const at = (value: unknown): string => shortRevision(text(value));
const listed = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(", ") : text(value));
const number = (value: unknown, one: string): string => `${text(value)} ${one}${value === 1 ? "" : "s"}`;

/** `2 created, 1 configured`; what did not happen is left out. */
function counted(value: unknown): string {
  const counts = Object.entries((value ?? {}) as Readonly<Record<string, number>>).filter(([, count]) => count > 0);
  return counts.length === 0 ? "nothing to do" : counts.map(([fate, count]) => `${count} ${fate}`).join(", ");
}

/** `0.21 s`, `42 s`. */
export function seconds(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s` : ms < 119_500 ? `${Math.round(ms / 1000)} s` : minutes(ms);
}

function minutes(ms: number): string {
  const whole = Math.round(ms / 60_000);
  return whole < 120 ? `${whole} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

const renderedIn = ({ objects, durationMs }: Facts): string =>
  `rendered ${number(objects, "object")} in ${seconds(Number(durationMs))}`;

/** What the events of a push's way, of sweeps and of actions mean; "" for what tells nothing of its own. */
const sentences: Readonly<Record<string, (facts: Facts) => string>> = {
  "webhook.queued": ({ branch, after }) => `push to ${text(branch)} taken in, head ${at(after)}`,
  "webhook.answered": ({ state, reason }) => (state === "queued" ? "" : `${text(state)}${because(reason)}`),
  "webhook.duplicate": ({ state }) => `delivered again, ${text(state)} already`,
  "webhook.refused": ({ status, reason }) => `REFUSED with ${text(status)}${because(reason)}`,
  "webhook.previous-secret": () => "signed with the previous webhook secret",
  "plan.begun": ({ branch, revision }) => `${text(branch)} is at ${at(revision)}`,
  "plan.render": ({ reason }) => `to be rendered${because(reason)}`,
  "plan.rendered": renderedIn,
  "plan.changed": ({ objects, reused }) =>
    reused === true ? `rendered before, ${number(objects, "object")}: new desired state` : "new desired state",
  "plan.same": () => "renders to what is desired already",
  "plan.held": ({ reason }) => `waits${because(reason)}`,
  "plan.released": () => "what waited may be synced",
  "plan.rejected": ({ reason }) => `not synced${because(reason)}`,
  "plan.removed": ({ reason }) => `left the configuration${because(reason)}`,
  "plan.failed": ({ error }) => `PLAN FAILED${because(error)}`,
  "plan.refused": ({ error }) => `PLAN REFUSED${because(error)}`,
  "plan.warning": ({ warning }) => `warning: ${text(warning)}`,
  "plan.started": ({ cluster, applications }) => `sync started in ${text(cluster)}, ${number(applications, "application")}`,
  "queue.put-off": ({ waitSeconds, error }) => `tried again in ${text(waitSeconds)} s${because(messageIn(error))}`,
  "queue.work-failed": ({ error }) => `FAILED, tried again${because(messageIn(error))}`,
  "sync.held": ({ waits }) => (waits === true ? "waits for the run that has the lease" : "left to the run that has the lease"),
  "sync.depends": ({ reason }) => `waits${because(reason)}`,
  "sync.begun": ({ sync, revision, trigger }) => `sync ${text(sync)} begins at ${at(revision)} (${text(trigger)})`,
  "sync.hook": ({ ref, error }) => `hook ${text(ref)}${text(error) === "" ? " started" : because(error)}`,
  "sync.applied": ({ step, steps, counts }) => `applied${waveOf(step, steps)}: ${counted(counts)}`,
  "sync.apply-failed": ({ error }) => `APPLY ENDED${because(error)}`,
  "sync.waiting": ({ health, message }) => `${text(health)}${because(message)}`,
  "sync.disturbed": ({ ref, field, manager }) => `${text(ref)} ${text(field)} changed by ${text(manager) || "someone"} meanwhile`,
  "sync.pruned": ({ ref }) => `pruned ${text(ref)}`,
  "sync.prune-skipped": ({ ref, reason }) => `kept ${text(ref)}${because(reason)}`,
  "sync.rolls-back": ({ revision }) => `${at(revision)} did not get healthy: the last healthy state is synced again`,
  "sync.recorded": ({ phase, counts, errors }) =>
    `${text(phase)}: ${counted(counts)}${Array.isArray(errors) && errors.length > 0 ? `; ${errors.map(text).join("; ")}` : ""}`,
  "apply.conflict": ({ kind, name, managers }) => `takes fields of ${text(kind)} ${text(name)} over from ${listed(managers)}`,
  "apply.recreated": ({ ref }) => `deletes ${text(ref)} and makes it again`,
  "sweep.drift": ({ kind, ref, field, manager }) =>
    `DRIFT, ${text(kind)}: ${text(ref)} ${text(field)}${text(manager) === "" ? "" : ` by ${text(manager)}`}`,
  "sweep.health": ({ before, health, message }) => `${text(before)} -> ${text(health)}${because(message)}`,
  "sweep.heal": ({ cluster, applications }) => `heals ${listed(applications)} in ${text(cluster)}`,
  "sweep.head-moved": ({ branch, head }) => `${text(branch)} moved to ${at(head)} without a webhook: queued`,
  "sweep.released": ({ applications }) => `what waited may be synced: ${listed(applications)}`,
  "sweep.restarted": ({ applications }) => `starts again ${listed(applications)}`,
  "sweep.fight": ({ ref, field, managers }) => `FIGHT over ${text(ref)} ${text(field)}: ${listed(managers)}`,
  "sweep.delivery-replayed": ({ branch, times }) => `${text(branch)} queued again, time ${text(times)}`,
  "sweep.done": ({ drifted }) => `sweep done, ${text(drifted)} drifted`,
  "action.taken": ({ action, by, message }) => `${text(action)} by ${text(by) || "someone"}${because(message)}`,
  "action.refused": ({ action, by, reason }) => `${text(action)} by ${text(by) || "someone"} REFUSED${because(reason)}`,
  "action.rebuild": ({ cluster, by, applications }) =>
    `rebuild of ${text(cluster)} by ${text(by) || "someone"}, ${number(applications, "application")}`,
};

function waveOf(step: unknown, steps: unknown): string {
  return typeof steps === "number" && steps > 1 ? ` wave ${Number(step) + 1} of ${steps}` : "";
}

/** An error in a line is its name, message, code and cause. */
function messageIn(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? text(error.message) : text(error);
}

const mostText = 400;
const inColumns = new Set(["function", "application", "correlationId", "sweep", "sync"]);

/** A line in plain words, on one line; "" for what tells nothing. Events without a sentence of their own come with their facts. */
export function sentenceOf({ event, level, fields }: LogLine): string {
  const told = sentences[event]?.(fields) ?? `${level === "error" ? "ERROR " : ""}${event}${factsOf(fields)}`;
  const line = oneLine(told).trim();
  return line.length > mostText ? `${line.slice(0, mostText)} ...` : line;
}

function factsOf(fields: Facts): string {
  const facts = Object.entries(fields).filter(([name, value]) => !inColumns.has(name) && value !== "" && value !== null);
  return facts.map(([name, value]) => ` ${name}=${messageIn(value)}`).join("");
}
