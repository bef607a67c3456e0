import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type JsonValue, stringifyJson } from "../../model/json.ts";
import type { Examine } from "../../queue/examine.ts";
import type { Preview } from "../../queue/preview-answer.ts";
import { redact } from "../../telemetry/redact.ts";
import type { ActionResult } from "../actions/action.ts";
import type { Actions } from "../actions/actions.ts";
import type { RebuildResult } from "../actions/rebuild.ts";
import { usualInterval } from "../sweep-age.ts";
import {
  type Asked,
  approveRequest,
  rebuildRequest,
  resumeRequest,
  rollbackRequest,
  suspendRequest,
  syncRequest,
} from "./api-actions.ts";
import { createApiDoctor } from "./api-doctor.ts";
import { type ApiQueriesDeps, createApiQueries } from "./api-queries.ts";
import type { ApiRequest } from "./api-request.ts";
import { previewView } from "./api-views.ts";

export interface ApiDeps extends ApiQueriesDeps {
  readonly actions: Actions;
  readonly preview: Preview;
  /** What looks at clusters and repositories; absent: the API tells only what the table knows of them. */
  readonly examine?: Examine;
}

export interface ApiResponse {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

/** One thing that the API answers. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly pattern: RegExp;
  readonly answer: (name: string, request: ApiRequest, options: CallOptions) => Promise<ApiResponse>;
}

/**
 * The JSON API: what the table knows, field by field from an allow-list, so that nothing that opens a cluster or tells of a
 * Secret can come out by accident; and what people ask to be done, once the platform knows who they are.
 */
export function createApi(deps: ApiDeps): (request: ApiRequest, options?: CallOptions) => Promise<ApiResponse> {
  const routes = routesOf(deps);

  return async (request, options = {}) => {
    const { method, path } = request;
    const found = routes.filter(({ pattern }) => pattern.test(path));
    const route = found.find((candidate) => candidate.method === method);
    if (found.length === 0) return answer(404, { error: `there is no ${path}; see docs/api.md` });
    if (route === undefined)
      return answer(405, { error: `${path} takes ${found.map((one) => one.method).join(" and ")}, not ${method}` });
    try {
      return await route.answer(decodeURIComponent(route.pattern.exec(path)?.[1] ?? ""), request, options);
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      return answer(status, { error: messageOf(error) });
    }
  };
}

/** Everything that the API answers: whoever may only look is let GET, whoever acts POST as well. */
export function routesOf(deps: ApiDeps): readonly Route[] {
  return [...readingRoutes(deps), ...actingRoutes(deps)];
}

function readingRoutes(deps: ApiDeps): readonly Route[] {
  const queries = createApiQueries(deps);
  const doctor = createApiDoctor({ sweepInterval: usualInterval, ...deps });
  return [
    get(/^\/applications$/, (_, __, options) => queries.overview(options)),
    get(/^\/applications\/([^/]+)$/, (name, _, options) => queries.application(name, options)),
    get(/^\/applications\/([^/]+)\/syncs$/, (name, request, options) => queries.syncs(name, request, options)),
    get(/^\/applications\/([^/]+)\/drift$/, (name, request, options) => queries.drift(name, request, options)),
    get(/^\/applications\/([^/]+)\/resources$/, (name, _, options) => queries.resources(name, options)),
    get(/^\/applications\/([^/]+)\/inputs$/, (name, _, options) => queries.inputs(name, options)),
    get(/^\/applications\/([^/]+)\/plan$/, async (application, { query }, options) => {
      const { revision } = query;
      return previewView(await deps.preview({ application, ...(revision ? { revision } : {}) }, options));
    }),
    get(/^\/drift$/, (_, request, options) => queries.drift(undefined, request, options)),
    get(/^\/deliveries$/, (_, request, options) => queries.deliveries(request, options)),
    get(/^\/doctor$/, (_, request, options) => doctor(request, options)),
    get(/^\/clusters\/([^/]+)\/sweeps$/, (name, request, options) => queries.sweeps(name, request, options)),
  ];
}

function actingRoutes({ actions }: ApiDeps): readonly Route[] {
  return [
    post(/^\/applications\/([^/]+)\/sync$/, (asked, options) => actions.sync(syncRequest(asked), options)),
    post(/^\/applications\/([^/]+)\/approve$/, (asked, options) => actions.approve(approveRequest(asked), options)),
    post(/^\/applications\/([^/]+)\/suspend$/, (asked, options) => actions.suspend(suspendRequest(asked), options)),
    post(/^\/applications\/([^/]+)\/resume$/, (asked, options) => actions.resume(resumeRequest(asked), options)),
    post(/^\/applications\/([^/]+)\/rollback$/, (asked, options) => actions.rollback(rollbackRequest(asked), options)),
    post(/^\/clusters\/([^/]+)\/rebuild$/, (asked, options) => actions.rebuild(rebuildRequest(asked), options)),
  ];
}

function get(pattern: RegExp, tell: (name: string, request: ApiRequest, options: CallOptions) => Promise<unknown>): Route {
  return { method: "GET", pattern, answer: async (...asked) => answer(200, await tell(...asked)) };
}

function post(pattern: RegExp, act: (asked: Asked, options: CallOptions) => Promise<ActionResult | RebuildResult>): Route {
  return {
    method: "POST",
    pattern,
    async answer(name, request, options) {
      const { by, correlationId = "", contentType = "" } = request;
      // A page of another origin cannot send this type without asking first, and gets no leave.
      if (!/^application\/json\b/i.test(contentType))
        return answer(415, { error: "send JSON, with content-type: application/json" });
      // Without a name in the log nobody acts, however the routes are set up.
      if (by === undefined || by === "") return answer(403, { error: "who asks is not known: the route needs an authorizer" });
      return acted(await act({ name, request, by, correlationId }, options));
    },
  };
}

function acted(result: ActionResult | RebuildResult): ApiResponse {
  if ("items" in result) return answer(result.items.length === 0 ? 200 : 202, result);
  if (result.outcome === "refused") return answer(409, { error: result.reason });
  return answer(result.outcome === "started" ? 202 : 200, result);
}

/** Undefined for what is a fault of this function and not of the request. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof URIError || isDriftlessError(error, "config")) return 400;
  if (isDriftlessError(error, "not-found")) return 404;
  if (!isDriftlessError(error, "source", "render", "cluster", "apply", "refused", "queue")) return undefined;
  return error.retryable ? 503 : 409;
}

function answer(status: number, body: unknown): ApiResponse {
  return { status, body: redact(stringifyJson(body as JsonValue)) };
}
