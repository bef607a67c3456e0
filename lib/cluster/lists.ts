import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { apiVersionOf, isManifest, type Manifest } from "../model/resource.ts";
import { type Calls, pathOf } from "./calls.ts";
import { classifyRefusal } from "./classify.ts";
import type { ListRequest, ListVisitor, PartialObject, ResourceType, VisitRequest } from "./cluster.ts";
import { type Narrowing, refusedList } from "./narrowing.ts";
import { parseAnswer } from "./wire.ts";

/** Objects a page. Bodies can be a megabyte each, metadata a few kilobytes. */
export interface PageSizes {
  readonly metadata: number;
  readonly bodies: number;
}

export const defaultPageSizes: PageSizes = { metadata: 1000, bodies: 500 };

/** The second form is for a group's own server that knows no other; its bodies are dropped here. */
const metadataAccept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** A list that takes longer than its continue token lives starts again, at most this often. */
const maxRestarts = 3;

interface PageOptions extends CallOptions {
  readonly limit: number;
  /** What a project's own identity lists where it may not list all namespaces; undefined for Driftless' own. */
  readonly narrowing?: Narrowing | undefined;
}

export async function listObjects(calls: Calls, request: ListRequest, options: PageOptions): Promise<readonly Manifest[]> {
  return collected((visitor) => visitPages(calls, { ...request, bodies: true }, { ...options, visitor }));
}

export async function listMetadata(calls: Calls, request: ListRequest, options: PageOptions): Promise<readonly PartialObject[]> {
  return collected((visitor) => visitPages(calls, { ...request, bodies: false }, { ...options, visitor }));
}

async function collected(visit: (visitor: ListVisitor) => Promise<void>): Promise<readonly Manifest[]> {
  let found: Manifest[] = [];
  await visit({
    begin() {
      found = [];
    },
    page(objects) {
      for (const object of objects) found.push(object);
    },
  });
  return found;
}

/**
 * Page by page, of which only one is held at a time. A project's own identity that may not list a kind over all namespaces lists
 * it in each namespace of the project. Neither an older `resourceVersion` nor one of 0 is asked for: with 0 the
 * server leaves the limit out and sends everything at once. Since 1.31 it answers the first page, and since 1.34 the others
 * too, from its watch cache, as fresh as etcd is.
 */
export async function visitPages(
  calls: Calls,
  request: VisitRequest,
  { visitor, ...options }: PageOptions & { readonly visitor: ListVisitor },
): Promise<void> {
  const { narrowing, limit, ...call } = options;
  const type = await calls.find(request.type, { ...call, anyVersion: true });
  const narrows = type?.namespaced === true && request.namespace === "" ? narrowing : undefined;
  let restarts = 0;
  for (;;) {
    visitor.begin();
    if (type === undefined) return;
    const isNarrow = narrows?.isNarrow(type) === true;
    const namespaces = isNarrow ? await narrows.namespaces(calls, type, call) : [request.namespace];
    const pass = {
      ...call,
      limit,
      visitor,
      type,
      mayExpire: restarts < maxRestarts,
      mayNarrow: !isNarrow && narrows !== undefined,
    };
    const outcome = await onePass(calls, { request, namespaces }, pass);
    if (outcome === "done") return;
    if (outcome === "forbidden") narrows?.narrow(type);
    else restarts++;
  }
}

interface PassOptions extends PageOptions {
  readonly visitor: ListVisitor;
  readonly type: ResourceType;
  readonly mayExpire: boolean;
  readonly mayNarrow: boolean;
}

/** How a pass over all pages of all its namespaces ended; after the last two it has to start again. */
type Outcome = "done" | "expired" | "forbidden";

interface Pass {
  readonly request: VisitRequest;
  /** [""] for all at once. */
  readonly namespaces: readonly string[];
}

async function onePass(calls: Calls, { request, namespaces }: Pass, options: PassOptions): Promise<Outcome> {
  for (const namespace of namespaces) {
    const outcome = await allPages(calls, { ...request, namespace }, options);
    if (outcome === "gone") {
      options.visitor.begin();
      return "done";
    }
    if (outcome !== "done") return outcome;
  }
  return "done";
}

/** `gone`: a kind that is not served any more has no objects, whatever was on its first pages. */
async function allPages(calls: Calls, request: VisitRequest, options: PassOptions): Promise<Outcome | "gone"> {
  const { type, limit, visitor, mayExpire, mayNarrow, ...call } = options;
  const accept = request.bodies ? "application/json" : metadataAccept;
  let token = "";
  do {
    const answer = await calls.send({ method: "GET", path: pagePath(type, request, { limit, token }), accept }, call);
    if (answer.status !== 200) {
      const { kind } = classifyRefusal(answer);
      if (kind === "not-served") return "gone";
      if (kind === "expired" && mayExpire) return "expired";
      if (kind === "forbidden" && mayNarrow) return "forbidden";
      throw refusedList(calls, { type, namespace: request.namespace, answer });
    }
    const page = parseAnswer(answer.body);
    calls.count({ pages: 1 });
    const items = Array.isArray(page["items"]) ? page["items"] : [];
    visitor.page(items.map((item) => readItem(item, type, request.bodies)));
    token = continueToken(page);
  } while (token !== "");
  return "done";
}

function pagePath(
  type: ResourceType,
  request: ListRequest,
  { limit, token }: { readonly limit: number; readonly token: string },
): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (request.labelSelector !== "") query.set("labelSelector", request.labelSelector);
  if (request.fieldSelector !== undefined) query.set("fieldSelector", request.fieldSelector);
  if (token !== "") query.set("continue", token);
  return `${pathOf(type, { namespace: request.namespace })}?${query.toString()}`;
}

/** Items of a list name neither version nor kind. */
function readItem(item: unknown, type: ResourceType, bodies: boolean): Manifest {
  const named = { apiVersion: apiVersionOf(type), kind: type.kind };
  const value = isJsonObject(item) ? (bodies ? { ...item, ...named } : { ...named, metadata: item["metadata"] }) : undefined;
  if (isManifest(value)) return value;
  throw new DriftlessError("cluster", `The API server listed ${type.resource} with an item that is no object`);
}

function continueToken(page: JsonObject): string {
  const token = isJsonObject(page["metadata"]) ? page["metadata"]["continue"] : undefined;
  return typeof token === "string" ? token : "";
}
