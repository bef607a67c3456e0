import type { ClusterCapabilities } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { GroupVersionKind, ManagedFieldsEntry, Manifest, ObjectMeta, ResourceRef } from "../model/resource.ts";

/** How the API server serves a kind. */
export interface ResourceType extends GroupVersionKind {
  /** Plural name in URLs: `deployments`. */
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** It has the subresource `scale`. */
  readonly scalable?: true;
}

/** Who we are to an API server. */
export interface ClusterIdentity {
  readonly username: string;
  readonly groups: readonly string[];
  /** What the authenticator adds: on EKS `arn`, `canonicalArn`, `sessionName` and more. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** How URLs and audit logs name a type. */
export type ResourceName = Pick<ResourceType, "group" | "version" | "resource">;

/** An object's identity and metadata, without its body. */
export interface PartialObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ListRequest {
  readonly type: GroupVersionKind;
  /** "" lists all namespaces. */
  readonly namespace: string;
  /** Kubernetes label selector; "" for none. */
  readonly labelSelector: string;
  /** Kubernetes field selector, as far as the kind has one: `involvedObject.name=web,type=Warning`. */
  readonly fieldSelector?: string;
}

export interface VisitRequest extends ListRequest {
  /** True for whole objects, false for their metadata alone. */
  readonly bodies: boolean;
}

/** Takes a list page by page, so that no more than one page is ever held. */
export interface ListVisitor {
  /** Called before the first page, and again when the list starts over, since its continue token expired or its kind has gone. */
  begin(): void;
  /** With bodies where these were asked for. */
  page(objects: readonly Manifest[]): void;
}

/** What a reader or writer has cost so far. */
export interface Traffic {
  /** Answered with a page of a list. */
  readonly pages: number;
  readonly dryRuns: number;
  /** Of the bodies of all answers. */
  readonly bytes: number;
}

/** The end of one container's log. */
export interface PodLogRequest {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  /** Of the run before this one: how a container that was started again ended. */
  readonly previous: boolean;
  readonly tailLines: number;
}

export interface ApplyOptions extends CallOptions {
  /** Take over fields that other managers own. */
  readonly force: boolean;
}

export interface OwnershipOptions extends CallOptions {
  readonly resourceVersion: string;
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** A question about our own rights: SelfSubjectAccessReview. */
export type AccessRequest = {
  /** Of the API: `get`, `list`, `create`, `patch`, `delete`. */
  readonly verb: string;
  /** "" for the core group. */
  readonly group: string;
  /** "" asks for all namespaces, or for a kind that has none. */
  readonly namespace: string;
  /** Any object when absent. */
  readonly name?: string;
} & ({ readonly resource: string } | { readonly kind: string });

export interface Access {
  readonly allowed: boolean;
  /** The server's own words; "" when it gave none. */
  readonly reason: string;
}

/** The reading half of a cluster: all that drift, diff and status are given. */
export interface ClusterReader {
  /** How the server serves a kind; undefined when it does not. Discovery is cached; `fresh` asks again. */
  resourceType(gvk: GroupVersionKind, options?: CallOptions & { readonly fresh?: boolean }): Promise<ResourceType | undefined>;
  /** The type with this plural name, in this version or else another; undefined when the server serves none. */
  resourceNamed(name: ResourceName, options?: CallOptions): Promise<ResourceType | undefined>;
  /** Version and kinds of the server, as it tells them now. */
  capabilities(options?: CallOptions): Promise<ClusterCapabilities>;
  /** A live object; undefined when there is none. */
  get(ref: ResourceRef, options?: CallOptions): Promise<Manifest | undefined>;
  /** Live objects with bodies, all pages. */
  list(request: ListRequest, options?: CallOptions): Promise<readonly Manifest[]>;
  /** Metadata only (PartialObjectMetadata), all pages; empty when the server does not know the kind. */
  listMetadata(request: ListRequest, options?: CallOptions): Promise<readonly PartialObject[]>;
  /** Lists, like the two above, without holding more than a page; no page at all when the server does not know the kind. */
  visit(request: VisitRequest, visitor: ListVisitor, options?: CallOptions): Promise<void>;
  /** Text of at most 64 KiB; undefined where there is none to be had: no right, no run, no node that answers. */
  podLog(request: PodLogRequest, options?: CallOptions): Promise<string | undefined>;
  /**
   * What the API server would say to us, asked at most every 5 minutes; undefined for a kind that it does not serve (a plural
   * name is asked as it is). Throws `cluster` when it cannot be asked.
   */
  allowed(request: AccessRequest, options?: CallOptions): Promise<Access | undefined>;
  /** True when we come as a project's own identity, by impersonation or by its role, and not as Driftless itself. */
  readonly identityOfProject: boolean;
  /** What an apply would give, without writing: server-side dry run. Throws `refused` like a write. */
  dryRunApply(manifest: Manifest, options: ApplyOptions): Promise<Manifest>;
  /** HTTP requests made so far through this reader, retries included. */
  readonly requests: number;
  readonly traffic: Traffic;
}

/** The writing half; only lib/apply is given one. */
export interface ClusterWriter extends ClusterReader {
  /** Server-side apply as field manager `driftless`; returns the object as the server now has it. */
  apply(manifest: Manifest, options: ApplyOptions): Promise<Manifest>;
  /** Deletes only the object with this uid, in the foreground; "absent" when it is gone already or another has taken the name. */
  delete(ref: ResourceRef, options: CallOptions & { readonly uid: string }): Promise<"deleted" | "absent">;
  /**
   * Says anew who owns which field, and changes no value; returns the object as it is then. Refused as `conflict` when the object
   * is not at this version any more.
   */
  patchOwnership(ref: ResourceRef, options: OwnershipOptions): Promise<Manifest>;
  /** Who we are to the API server. */
  identity(options?: CallOptions): Promise<ClusterIdentity>;
}

export interface OpenOptions extends CallOptions {
  /** Whose identity opens the cluster, and whose limits hold for each write; Driftless' own identity, without limits, when absent. */
  readonly project?: string;
  /** What it is opened for, `APP-SHA7`: part of the session name where a role is assumed. */
  readonly session?: string;
}

/** Opens clusters by the name that the configuration gives them. */
export interface Clusters {
  /**
   * Throws `cluster` when the cluster can't be opened, `not-found` when the configuration has no such name or no such project.
   */
  reader(cluster: string, options?: OpenOptions): Promise<ClusterReader>;
  /** Its writes throw `refused`, and ask nothing, for what the project may not have. */
  writer(cluster: string, options?: OpenOptions): Promise<ClusterWriter>;
}
