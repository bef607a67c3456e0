import { DriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import type { Examine } from "../../queue/examine.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { lastSweeps } from "../sweep-age.ts";
import type { ApiRequest } from "./api-request.ts";

export interface ApiDoctorDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "deliveries" | "sweeps">;
  /** Absent where nothing can reach the clusters for it. */
  readonly examine?: Examine;
  readonly clock: Clock;
  /** Seconds between sweeps. */
  readonly sweepInterval: number;
}

/** Every link that can be looked at from inside: what the table tells, and what the function that reaches the clusters finds. */
export function createApiDoctor(deps: ApiDoctorDeps) {
  return async (request: ApiRequest, options: CallOptions): Promise<{ readonly items: readonly Check[] }> => {
    const parts = [configurationCheck, deliveryCheck, sweepChecks];
    const [examined, ...known] = await Promise.all([
      examinedOf(deps, request, options),
      ...parts.map((part) => part(deps, options)),
    ]);
    return { items: [...known.flat(), ...examined] };
  };
}

async function examinedOf({ examine }: ApiDoctorDeps, { query }: ApiRequest, options: CallOptions): Promise<readonly Check[]> {
  if (examine === undefined) return [];
  const webhook = webhookOf(query["webhook"] ?? "");
  try {
    return await examine({ webhook }, options);
  } catch (error) {
    const advice = "look at the log of the preview function: driftless logs, or its log group";
    return [checkOf("preview function").fail(messageOf(error), advice)];
  }
}

function webhookOf(text: string): string {
  if (text === "" || (/^https?:\/\/[\x21-\x7e]+$/.test(text) && text.length <= 500)) return text;
  throw new DriftlessError("config", "webhook must be a URL");
}

async function configurationCheck({ stores }: ApiDoctorDeps, options: CallOptions): Promise<readonly Check[]> {
  const check = checkOf("configuration");
  const [problem, stored] = await Promise.all([stores.configuration.loadProblem(options), stores.configuration.load(options)]);
  if (problem !== "") return [check.fail(problem, "correct driftless.yaml (driftless validate), commit and push it")];
  if (stored === undefined)
    return [check.warn("no driftless.yaml was read yet", "push it to the branch that the functions read")];
  const { clusters, applications } = stored.configuration;
  const parts = [counted(clusters.length, "cluster"), counted(applications.length, "application")];
  return [check.ok(`${stored.revision.slice(0, 7)}: ${parts.join(", ")}`)];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

async function deliveryCheck({ stores }: ApiDoctorDeps, options: CallOptions): Promise<readonly Check[]> {
  const check = checkOf("webhook: last delivery");
  const [last] = (await stores.deliveries.list({ ...options, limit: 1 })).items;
  if (last === undefined) {
    const advice =
      "add the webhook in GitHub (driftless init says how), then push; GitHub's page of its deliveries says what it got";
    return [check.warn("none within seven days", advice)];
  }
  const text = `${last.receivedAt}, ${last.event}${last.branch === "" ? "" : ` to ${last.branch}`}: ${last.state}`;
  if (last.state === "failed") return [check.warn(`${text}: ${last.reason}`, "put right what it names, and push again")];
  return [check.ok(text)];
}

async function sweepChecks(
  { stores, clock, sweepInterval: interval }: ApiDoctorDeps,
  options: CallOptions,
): Promise<readonly Check[]> {
  const clusters = (await stores.configuration.load(options))?.configuration.clusters.map(({ name }) => name) ?? [];
  const ages = await lastSweeps(stores, { clusters, now: clock.now(), interval }, options);
  return Promise.all(
    ages.map(async ({ cluster, at, age, late }) => {
      const check = checkOf(`sweep of ${cluster}`);
      if (at === "")
        return check.warn("it was never swept", `wait for the next sweep, every ${interval} s; then see the schedule`);
      const minutes = Math.round(age / 60);
      if (late)
        return check.fail(
          `the last one began ${minutes} minutes ago`,
          "see that the schedule is on, and the log of the sweep function",
        );
      const [report] = (await stores.sweeps.list(cluster, { ...options, limit: 1 })).items;
      const [error] = report?.errors ?? [];
      if (error !== undefined)
        return check.fail(error, "the sweep function comes as SweepRoleArn: see its access entry and rights (infra/cluster.yml)");
      return check.ok(`${Math.round(age)} s ago`);
    }),
  );
}
