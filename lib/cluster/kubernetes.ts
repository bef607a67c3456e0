import { DriftlessError } from "../errors.ts";
import type { ClusterCapabilities } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, stringifyJson } from "../model/json.ts";
import {
  apiVersionOf,
  displayRef,
  fieldManager,
  gvkOf,
  isManifest,
  type Manifest,
  type ResourceRef,
  refOf,
} from "../model/resource.ts";
import { systemClock } from "../telemetry/clock.ts";
import { type Calls, type CallsDeps, createCalls, pathOf } from "./calls.ts";
import { type Answer, classifyRefusal } from "./classify.ts";
import type {
  AccessRequest,
  ApplyOptions,
  ClusterReader,
  ClusterWriter,
  OwnershipOptions,
  PodLogRequest,
  ResourceType,
} from "./cluster.ts";
import { readIdentity } from "./identity.ts";
import { defaultPageSizes, listMetadata, listObjects, type PageSizes, visitPages } from "./lists.ts";
import { createNarrowing } from "./narrowing.ts";
import { type Refused, refusedError } from "./refused.ts";
import { createRights, type Rights, reviewAccess } from "./rights.ts";
import { assertInScope, type ProjectScope } from "./scope.ts";
import { parseAnswer, serialiseApply } from "./wire.ts";

export interface ClusterDeps extends CallsDeps {
  readonly pageSizes?: Partial<PageSizes>;
  /** The project whose limits hold for each write; none when absent. */
  readonly scope?: ProjectScope;
  /** Shared by the readers and writers of one identity on one API server; each has its own when absent. */
  readonly rights?: Rights;
}

/** Reads one cluster; has no method that writes, at run time either. */
export function createClusterReader(deps: ClusterDeps): ClusterReader {
  return readerOver(createCalls(deps), deps);
}

/** Reads and writes one cluster as field manager `driftless`. */
export function createClusterWriter(deps: ClusterDeps): ClusterWriter {
  const calls = createCalls(deps);
  const { scope } = deps;
  return Object.assign(readerOver(calls, deps), {
    apply: (manifest: Manifest, options: ApplyOptions) => applyObject(calls, manifest, { ...options, scope, dryRun: false }),
    delete: (ref: ResourceRef, options: DeleteOptions) => deleteObject(calls, ref, { ...options, scope }),
    patchOwnership: (ref: ResourceRef, options: OwnershipOptions) => patchOwnership(calls, ref, { ...options, scope }),
    identity: (options: CallOptions = {}) => readIdentity(calls, options),
  });
}

function readerOver(calls: Calls, deps: ClusterDeps): ClusterReader {
  const limits = { ...defaultPageSizes, ...deps.pageSizes };
  const { scope, identity, rights = createRights({ clock: systemClock }) } = deps;
  const identityOfProject = identity?.ofProject === true;
  const narrowing = identityOfProject && scope !== undefined ? createNarrowing({ scope, rights }) : undefined;
  const paged = (options: CallOptions, limit: number) => ({ ...options, limit, narrowing });
  return {
    resourceType: (gvk, options = {}) => calls.find(gvk, options),
    resourceNamed: (name, options = {}) => calls.findNamed(name, options),
    capabilities: (options = {}) => readCapabilities(calls, options),
    get: (ref, options = {}) => getObject(calls, ref, options),
    list: (request, options = {}) => listObjects(calls, request, paged(options, limits.bodies)),
    listMetadata: (request, options = {}) => listMetadata(calls, request, paged(options, limits.metadata)),
    visit: (request, visitor, options = {}) =>
      visitPages(calls, request, { ...paged(options, request.bodies ? limits.bodies : limits.metadata), visitor }),
    podLog: (request, options = {}) => readPodLog(calls, request, options),
    dryRunApply: (manifest, options) => applyObject(calls, manifest, { ...options, scope, dryRun: true }),
    allowed: (request: AccessRequest, options = {}) => reviewAccess(calls, request, { ...options, rights }),
    identityOfProject,
    get requests() {
      return calls.requests;
    },
    get traffic() {
      return { ...calls.traffic };
    },
  };
}

async function readCapabilities(calls: Calls, options: CallOptions): Promise<ClusterCapabilities> {
  const [{ apiVersions }, answer] = await Promise.all([
    calls.discover(options),
    calls.send({ method: "GET", path: "/version" }, options),
  ]);
  const version = answer.status === 200 ? parseAnswer(answer.body) : undefined;
  const kubeVersion = isJsonObject(version) ? version["gitVersion"] : undefined;
  if (typeof kubeVersion !== "string") throw refusedError({ verb: "get", subject: "its version", host: calls.host, answer });
  return { kubeVersion, apiVersions };
}

async function getObject(calls: Calls, ref: ResourceRef, options: CallOptions): Promise<Manifest | undefined> {
  const type = await calls.find(ref, { ...options, anyVersion: true });
  if (type === undefined) return undefined;
  const answer = await calls.send({ method: "GET", path: objectPath(type, ref) }, options);
  if (answer.status === 404) return undefined;
  return readObject({ verb: "get", ref, host: calls.host, answer });
}

/** Kept small by the server: a single line of a log can be a megabyte. */
const maxLogBytes = 65_536;

async function readPodLog(calls: Calls, request: PodLogRequest, options: CallOptions): Promise<string | undefined> {
  const { namespace, name, container, previous, tailLines } = request;
  const query = new URLSearchParams({
    container,
    previous: String(previous),
    tailLines: String(tailLines),
    limitBytes: String(maxLogBytes),
  });
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log?${query.toString()}`;
  const answer = await calls.send({ method: "GET", path, accept: "*/*" }, options);
  return answer.status === 200 ? answer.body : undefined;
}

/** The project whose limits hold. */
interface Scoped {
  readonly scope: ProjectScope | undefined;
}

type ApplyRequest = ApplyOptions & Scoped & { readonly dryRun: boolean };

/**
 * Unknown fields are errors (`fieldValidation=Strict`, as in `kubectl apply`): otherwise the server drops a misspelt field of a
 * custom resource in silence, and the object would never be what the repository says.
 */
async function applyObject(
  calls: Calls,
  manifest: Manifest,
  { force, dryRun, scope, ...options }: ApplyRequest,
): Promise<Manifest> {
  const ref = refOf(manifest);
  assertInScope(scope, { ref, namespaced: undefined });
  const type = await calls.find(gvkOf(manifest), options);
  if (type === undefined) throw notServed(ref, calls.host);
  assertInScope(scope, { ref, namespaced: type.namespaced });
  const query = new URLSearchParams({ fieldManager, force: String(force), fieldValidation: "Strict" });
  if (dryRun) {
    query.set("dryRun", "All");
    calls.count({ dryRuns: 1 });
  }
  const path = `${objectPath(type, ref)}?${query.toString()}`;
  const body = serialiseApply(manifest);
  refuseOversize(body, ref);
  const answer = await calls.send({ method: "PATCH", path, contentType: "application/apply-patch+yaml", body }, options);
  return readObject({ verb: dryRun ? "dry-run" : "apply", ref, host: calls.host, answer, manifest });
}

/** The server's limit for a body, which no flag of it moves. */
const mostBytes = 3 * 1024 * 1024;

function refuseOversize(body: string, ref: ResourceRef): void {
  if (body.length * 3 <= mostBytes) return;
  const bytes = Buffer.byteLength(body);
  if (bytes <= mostBytes) return;
  const text = `${displayRef(ref)} is too large: it has ${bytes} bytes as JSON, and the API server takes at most ${mostBytes}`;
  throw new DriftlessError("apply", text, { facts: { refusal: "invalid" } });
}

type DeleteOptions = CallOptions & { readonly uid: string };

/** The kind may be served under another version than the one it was applied under; the object is the same. */
async function deleteObject(
  calls: Calls,
  ref: ResourceRef,
  { uid, scope, ...options }: DeleteOptions & Scoped,
): Promise<"deleted" | "absent"> {
  assertInScope(scope, { ref, namespaced: undefined });
  const type = await calls.find(ref, { ...options, anyVersion: true });
  if (type === undefined) return "absent";
  assertInScope(scope, { ref, namespaced: type.namespaced });
  const body = stringifyJson({
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: "Foreground",
    preconditions: { uid },
  });
  const answer = await calls.send(
    { method: "DELETE", path: objectPath(type, ref), contentType: "application/json", body },
    options,
  );
  if (answer.status >= 200 && answer.status < 300) return "deleted";
  if (answer.status === 404) return "absent";
  if (classifyRefusal(answer).kind === "conflict") {
    const live = await getObject(calls, ref, options);
    if (live?.metadata.uid !== uid) return "absent";
  }
  throw refusedError({ verb: "delete", ref, host: calls.host, answer });
}

async function patchOwnership(
  calls: Calls,
  ref: ResourceRef,
  { resourceVersion, managedFields, scope, ...options }: OwnershipOptions & Scoped,
): Promise<Manifest> {
  assertInScope(scope, { ref, namespaced: undefined });
  const type = await calls.find(ref, options);
  if (type === undefined) throw notServed(ref, calls.host);
  assertInScope(scope, { ref, namespaced: type.namespaced });
  const body = stringifyJson([
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    { op: "replace", path: "/metadata/managedFields", value: managedFields },
  ]);
  const path = `${objectPath(type, ref)}?${new URLSearchParams({ fieldManager }).toString()}`;
  const answer = await calls.send({ method: "PATCH", path, contentType: "application/json-patch+json", body }, options);
  return readObject({ verb: "adopt", ref, host: calls.host, answer });
}

function readObject(refused: Refused & { readonly ref: ResourceRef; readonly answer: Answer }): Manifest {
  const { answer, ref } = refused;
  if (answer.status < 200 || answer.status > 299) throw refusedError(refused);
  const value = parseAnswer(answer.body);
  if (isManifest(value)) return value;
  throw new DriftlessError("cluster", `The API server answered for ${displayRef(ref)} with something that is no object`);
}

function objectPath(type: ResourceType, ref: ResourceRef): string {
  if (type.namespaced && ref.namespace === "") {
    throw new DriftlessError(
      "apply",
      `${displayRef(ref)} names no namespace, and ${ref.kind} lives in one: set metadata.namespace`,
    );
  }
  return pathOf(type, ref);
}

function notServed(ref: ResourceRef, host: string): DriftlessError {
  const text = `The API server at ${host} does not serve ${apiVersionOf(ref)} ${ref.kind} (${displayRef(ref)}): check that its CRD is installed`;
  return new DriftlessError("apply", text, { retryable: true, facts: { host, refusal: "not-served" } });
}
