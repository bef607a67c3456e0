import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { ApplicationSource } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";
import { type JsonValue, stringifyJson } from "../model/json.ts";
import { displayRef } from "../model/resource.ts";
import type { ApplicationState, SyncRecord } from "../model/sync.ts";
import type { DriftQuery, PageRequest, Stores } from "../store/store.ts";

export interface ApiDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "deliveries" | "drift" | "inventories" | "sweeps" | "syncs">;
}

export interface ApiRequest {
  readonly method: string;
  /** Path below the API's root: `/applications/guestbook-qa/syncs`. */
  readonly path: string;
  readonly query: { readonly [name: string]: string | undefined };
}

export interface ApiResponse {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

type Answer = (names: readonly string[], request: ApiRequest, options: CallOptions) => Promise<unknown>;

/**
 * The read-only JSON API: what the table knows, field by field from an allow-list, so that nothing that opens a cluster or
 * tells of a Secret can come out by accident.
 */
export function createApi({ stores }: ApiDeps): (request: ApiRequest, options?: CallOptions) => Promise<ApiResponse> {
  const routes: readonly (readonly [RegExp, Answer])[] = [
    [/^\/applications$/, async (_, __, options) => overview(options)],
    [/^\/applications\/([^/]+)$/, async ([name = ""], _, options) => viewOf(await known(name, options), options)],
    [
      /^\/applications\/([^/]+)\/syncs$/,
      async ([name = ""], request, options) => stores.syncs.list(name, page(request, options)),
    ],
    [
      /^\/applications\/([^/]+)\/drift$/,
      async ([name = ""], request, options) => ({ items: await driftOf([name], request, options) }),
    ],
    [/^\/applications\/([^/]+)\/resources$/, async ([name = ""], _, options) => resourcesOf(name, options)],
    [/^\/applications\/([^/]+)\/inputs$/, async ([name = ""], _, options) => inputsOf(await known(name, options))],
    [/^\/drift$/, async (_, request, options) => ({ items: await driftOf(await names(options), request, options) })],
    [/^\/deliveries$/, async (_, request, options) => stores.deliveries.list(page(request, options))],
    [/^\/clusters\/([^/]+)\/sweeps$/, async ([name = ""], request, options) => stores.sweeps.list(name, page(request, options))],
  ];

  return async (request, options = {}) => {
    if (request.method !== "GET") return answer(405, { error: "the API is read-only: use GET" });
    for (const [pattern, route] of routes) {
      const match = pattern.exec(request.path);
      if (match === null) continue;
      try {
        return answer(200, await route(match.slice(1).map(decodeURIComponent), request, options));
      } catch (error) {
        if (isDriftlessError(error, "not-found")) return answer(404, { error: messageOf(error) });
        if (isDriftlessError(error, "config") || error instanceof URIError) return answer(400, { error: messageOf(error) });
        throw error;
      }
    }
    return answer(404, { error: `there is no ${request.path}; see docs/api.md` });
  };

  async function applications(options: CallOptions): Promise<readonly unknown[]> {
    return Promise.all((await stores.applications.list(options)).map((state) => viewOf(state, options)));
  }

  /** With what is left of it, when it was removed. */
  async function viewOf(state: ApplicationState, options: CallOptions): Promise<unknown> {
    if (!state.removed) return applicationView(state);
    const inventory = await stores.inventories.load(state.application, options);
    return { ...applicationView(state), kept: inventory?.entries.map(({ ref }) => displayRef(ref)) ?? [] };
  }

  async function overview(options: CallOptions): Promise<unknown> {
    const [items, configurationProblem] = await Promise.all([applications(options), stores.configuration.loadProblem(options)]);
    return { items, configurationProblem };
  }

  async function known(name: string, options: CallOptions): Promise<ApplicationState> {
    const state = await stores.applications.get(name, options);
    if (state === undefined) throw new DriftlessError("not-found", `there is no application ${name}`);
    return state;
  }

  async function names(options: CallOptions): Promise<readonly string[]> {
    return (await stores.applications.list(options)).map(({ application }) => application);
  }

  async function driftOf(
    applications: readonly string[],
    request: ApiRequest,
    options: CallOptions,
  ): Promise<readonly DriftRow[]> {
    const since = request.query["since"];
    const query: DriftQuery = { ...page(request, options), ...(since === undefined ? {} : { since: instant(since) }) };
    const pages = await Promise.all(applications.map((application) => stores.drift.list(application, query)));
    return pages.flatMap(({ items }) => items);
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

/** What the last render read: while none of it changes, no push renders the application again. */
function inputsOf({ application, definition, inputs, desired, planError }: ApplicationState) {
  const { repositories, pinned, cluster } = inputs;
  return {
    application,
    cluster: definition.cluster,
    sources: definition.sources.map(sourceView),
    revision: desired?.revision ?? "",
    planError,
    repositories,
    pinned,
    readsCapabilities: cluster !== "",
  };
}

function applicationView({
  application,
  definition,
  removed,
  desired,
  lastSync,
  health,
  planError,
  plannedRevision,
  drifted,
  additions,
}: ApplicationState) {
  const { cluster, namespace, drift } = definition;
  return {
    name: application,
    cluster,
    namespace,
    sources: definition.sources.map(sourceView),
    driftPolicy: drift,
    removed,
    health,
    sync: removed ? "Removed" : syncStatus({ desired, lastSync, planError }),
    revision: desired?.revision ?? "",
    plannedRevision,
    planError,
    drifted,
    additions,
    ...(lastSync === undefined ? {} : { lastSync }),
  };
}

/** Where objects come from, without the options, which may hold values. */
function sourceView(source: ApplicationSource) {
  if (source.kind === "chart") return { chart: source.chart };
  const { repository, targetRevision, path, ref } = source;
  return { repository, targetRevision, ...(path === undefined ? {} : { path }), ...(ref === undefined ? {} : { ref }) };
}

/** Synced, OutOfSync or Unknown, as Argo CD has them. */
function syncStatus({
  desired,
  lastSync,
  planError,
}: {
  readonly desired: ApplicationState["desired"];
  readonly lastSync: SyncRecord | undefined;
  readonly planError: string;
}): "Synced" | "OutOfSync" | "Unknown" {
  if (desired === undefined || lastSync === undefined) return "Unknown";
  const current = lastSync.generation === desired.generation && lastSync.phase === "Succeeded" && planError === "";
  return current ? "Synced" : "OutOfSync";
}

function page({ query }: ApiRequest, options: CallOptions): PageRequest {
  const limit = Number(query["limit"] ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new DriftlessError("config", "limit must be a whole number from 1 to 500");
  const from = query["from"];
  return { ...options, limit, ...(from === undefined ? {} : { from }) };
}

function instant(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new DriftlessError("config", "since must be a time such as 2026-01-31T12:00:00Z");
  return new Date(time).toISOString();
}

function answer(status: number, body: unknown): ApiResponse {
  return { status, body: stringifyJson(body as JsonValue) };
}
