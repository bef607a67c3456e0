import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { apiVersionOf, isManifest, type Manifest } from "../model/resource.ts";
import { type Calls, pathOf } from "./calls.ts";
import { classifyRefusal } from "./classify.ts";
import type { ListRequest, ResourceType } from "./cluster.ts";
import { refusedError } from "./refused.ts";
import { parseAnswer } from "./wire.ts";

/** Objects a page. Bodies can be a megabyte each, metadata a few kilobytes. */
export interface PageSizes {
  readonly metadata: number;
  readonly bodies: number;
}

export const defaultPageSizes: PageSizes = { metadata: 2500, bodies: 500 };

/** The second form is for a group's own server that knows no other; its bodies are dropped here. */
const metadataAccept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** A list that takes longer than its continue token lives starts again, at most this often. */
const maxRestarts = 3;

export async function listObjects(
  calls: Calls,
  request: ListRequest,
  { limit, ...options }: CallOptions & { readonly limit: number },
) {
  return pages(calls, request, {
    ...options,
    limit,
    accept: "application/json",
    read: (item, type) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind }),
  });
}

export async function listMetadata(
  calls: Calls,
  request: ListRequest,
  { limit, ...options }: CallOptions & { readonly limit: number },
) {
  return pages(calls, request, {
    ...options,
    limit,
    accept: metadataAccept,
    read: (item, type) => ({ apiVersion: apiVersionOf(type), kind: type.kind, metadata: item["metadata"] }),
  });
}

interface PagesOptions extends CallOptions {
  readonly accept: string;
  readonly limit: number;
  /** Items of a list name neither version nor kind. */
  readonly read: (item: JsonObject, type: ResourceType) => JsonObject;
}

async function pages(calls: Calls, request: ListRequest, options: PagesOptions): Promise<readonly Manifest[]> {
  const type = await calls.find(request.type, { ...options, anyVersion: true });
  if (type === undefined) return [];
  for (let restarts = 0; ; restarts++) {
    const found = await onePass(calls, request, { ...options, type, mayExpire: restarts < maxRestarts });
    if (found !== "expired") return found;
  }
}

type PassOptions = PagesOptions & { readonly type: ResourceType; readonly mayExpire: boolean };

async function onePass(calls: Calls, request: ListRequest, options: PassOptions): Promise<readonly Manifest[] | "expired"> {
  const { type, limit, accept, read, mayExpire, ...call } = options;
  const found: Manifest[] = [];
  let token = "";
  do {
    const answer = await calls.send({ method: "GET", path: pagePath(type, request, { limit, token }), accept }, call);
    if (answer.status !== 200) {
      const { kind } = classifyRefusal(answer);
      if (kind === "not-served") return [];
      if (kind === "expired" && mayExpire) return "expired";
      const subject = request.namespace === "" ? type.resource : `${type.resource} of namespace ${request.namespace}`;
      throw refusedError({ verb: "list", subject, host: calls.host, answer });
    }
    const page = parseAnswer(answer.body);
    const items = Array.isArray(page["items"]) ? page["items"] : [];
    for (const item of items) found.push(readItem(item, type, read));
    token = continueToken(page);
  } while (token !== "");
  return found;
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

function readItem(item: unknown, type: ResourceType, read: PagesOptions["read"]): Manifest {
  const value = isJsonObject(item) ? read(item, type) : undefined;
  if (isManifest(value)) return value;
  throw new DriftlessError("cluster", `The API server listed ${type.resource} with an item that is no object`);
}

function continueToken(page: JsonObject): string {
  const token = isJsonObject(page["metadata"]) ? page["metadata"]["continue"] : undefined;
  return typeof token === "string" ? token : "";
}
