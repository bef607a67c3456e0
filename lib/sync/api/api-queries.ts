import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { displayRef } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { StoredFile, Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { unknownApplication } from "../application-state.ts";
import { lastSweeps, usualInterval } from "../sweep-age.ts";
import { driftQuery } from "./api-drift.ts";
import { type ApiRequest, pageOf } from "./api-request.ts";
import { applicationView, inputsView, syncView } from "./api-views.ts";

export interface ApiQueriesDeps {
  readonly stores: Pick<
    Stores,
    "applications" | "configuration" | "deliveries" | "drift" | "inventories" | "prevention" | "sweeps" | "syncs"
  >;
  readonly clock: Clock;
  /** Seconds between sweeps, as the schedule has them. Default 300. */
  readonly sweepInterval?: number;
}

/** What the table knows, as the API tells it. Each throws `not-found` for an unknown application, and `config` for a wrong query. */
export interface ApiQueries {
  overview(options: CallOptions): Promise<unknown>;
  application(name: string, options: CallOptions): Promise<unknown>;
  syncs(name: string, request: ApiRequest, options: CallOptions): Promise<unknown>;
  /** Of every application without a name. */
  drift(name: string | undefined, request: ApiRequest, options: CallOptions): Promise<unknown>;
  resources(name: string, options: CallOptions): Promise<unknown>;
  inputs(name: string, options: CallOptions): Promise<unknown>;
  deliveries(request: ApiRequest, options: CallOptions): Promise<unknown>;
  sweeps(cluster: string, request: ApiRequest, options: CallOptions): Promise<unknown>;
}

export function createApiQueries({ stores, clock, sweepInterval = usualInterval }: ApiQueriesDeps): ApiQueries {
  return {
    async overview(options) {
      const [states, configurationProblem, stored, preventions] = await Promise.all([
        stores.applications.list(options),
        stores.configuration.loadProblem(options),
        stores.configuration.load(options),
        stores.prevention.list(options),
      ]);
      const clusters = [...new Set(states.map(({ definition }) => definition.cluster))];
      const [items, sweeps] = await Promise.all([
        Promise.all(states.map((state) => viewOf(state, options))),
        lastSweeps(stores, { clusters, now: clock.now(), interval: sweepInterval }, options),
      ]);
      return {
        items,
        configurationProblem,
        configurationProblems: fileProblems(stored?.files ?? []),
        preventionProblems: preventions.flatMap(({ cluster, problem }) => (problem === "" ? [] : [{ cluster, problem }])),
        sweeps: sweeps.map(({ age, ...rest }) => ({ ...rest, ageSeconds: Math.round(age) })),
      };
    },
    application: async (name, options) => viewOf(await known(name, options), options),
    async syncs(name, request, options) {
      const page = await stores.syncs.list(name, pageOf(request, options));
      // A name that was never there is told apart from one without rows; a removed application has rows for a while.
      if (page.items.length === 0) await known(name, options);
      return { ...page, items: page.items.map(syncView) };
    },
    async drift(name, request, options) {
      const page = await stores.drift.list(driftQuery(name, request, options));
      if (page.items.length === 0 && name !== undefined) await known(name, options);
      return page;
    },
    resources: resourcesOf,
    inputs: async (name, options) => inputsView(await known(name, options)),
    deliveries: (request, options) => stores.deliveries.list(pageOf(request, options)),
    async sweeps(cluster, request, options) {
      const page = await stores.sweeps.list(cluster, pageOf(request, options));
      if (page.items.length === 0) await assertCluster(cluster, options);
      return page;
    },
  };

  async function assertCluster(cluster: string, options: CallOptions): Promise<void> {
    const stored = await stores.configuration.load(options);
    const names = stored?.configuration.clusters.map(({ name }) => name) ?? [];
    if (names.includes(cluster)) return;
    const advice = names.length === 0 ? "" : `: the configuration has ${names.slice(0, 20).join(", ")}`;
    throw new DriftlessError("not-found", `there is no cluster ${JSON.stringify(cluster)}${advice}`);
  }

  /** With what is left of it, when it was removed. */
  async function viewOf(state: ApplicationState, options: CallOptions): Promise<unknown> {
    const view = applicationView(state, clock.now());
    if (!state.removed) return view;
    const inventory = await stores.inventories.load(state.application, options);
    return { ...view, kept: inventory?.entries.map(({ ref }) => displayRef(ref)) ?? [] };
  }

  async function known(name: string, options: CallOptions): Promise<ApplicationState> {
    const state = await stores.applications.get(name, options);
    if (state === undefined) throw unknownApplication(name);
    return state;
  }

  async function resourcesOf(name: string, options: CallOptions): Promise<unknown> {
    const inventory = await stores.inventories.load(name, options);
    const items =
      inventory?.entries.map(({ ref, appliedAt, leaving = false }) => ({
        ...ref,
        display: displayRef(ref),
        appliedAt,
        leaving,
      })) ?? [];
    return { cluster: inventory?.cluster ?? (await known(name, options)).definition.cluster, items };
  }
}

/** Why files that projects name still give what they gave before. */
function fileProblems(files: readonly StoredFile[]): readonly object[] {
  return files
    .filter(({ problem }) => problem !== "")
    .map(({ project, repository, targetRevision, path, problem }) => ({ project, repository, targetRevision, path, problem }));
}
