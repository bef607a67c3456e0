import type { ClusterCapabilities, RenderInputs } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { Delivery, DeliveryState } from "../model/delivery.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Manifest } from "../model/resource.ts";
import type { ApplicationState, SyncRecord } from "../model/sync.ts";
import type { ConfigurationStore } from "./configuration-store.ts";
import type { DriftStore, PreventionStore, SweepStore } from "./drift-store.ts";
import type { LeaseStore } from "./lease-store.ts";
import type { Page, PageRequest } from "./page.ts";

export type * from "./configuration-store.ts";
export type * from "./drift-store.ts";
export type * from "./lease-store.ts";
export type * from "./page.ts";

/** Webhook deliveries by GUID; they expire after seven days. */
export interface DeliveryStore {
  /** Stores a delivery unless its GUID is known; returns the one that stands. One conditional write. */
  receive(delivery: Delivery, options?: CallOptions): Promise<{ readonly isNew: boolean; readonly delivery: Delivery }>;
  /**
   * Records where a delivery now stands; no-op for an unknown id (a sweep's hint has no delivery).
   * `queued` follows `received` only: a plan may be done before the webhook says it. Each new state says anew whether it is
   * `retryable`. With `standing` it is a no-op where the delivery stands otherwise by now.
   */
  update(
    id: string,
    change: Partial<Pick<Delivery, "state" | "applications" | "reason" | "retryable" | "replayed">>,
    options?: CallOptions & { readonly standing?: DeliveryState },
  ): Promise<void>;
  list(request?: PageRequest): Promise<Page<Delivery>>;
}

export interface ApplicationStore {
  list(options?: CallOptions): Promise<readonly ApplicationState[]>;
  get(application: string, options?: CallOptions): Promise<ApplicationState | undefined>;
  /**
   * Writes a state whose `version` is one above the stored one (1 for a new one).
   * Returns false, and writes nothing, when another writer was first.
   */
  put(state: ApplicationState, options?: CallOptions): Promise<boolean>;
  /** Removes the row at this version; returns false, and removes nothing, when there is none, or another writer was first. */
  remove(application: string, options: CallOptions & { readonly version: number }): Promise<boolean>;
}

/** What the last render of each application read of a branch: see `lib/sync/plan/plan-index.ts`. */
export interface PlannedInputs {
  readonly [application: string]: {
    readonly paths: readonly string[];
    /** Of the object ids at these paths. */
    readonly digest: string;
    /** Digest of what a chart was told of its cluster; "" when none was. */
    readonly cluster: string;
  };
}

/** The index of a branch, and the number of the configuration that it was made under. */
export interface PlanIndex {
  readonly id: string;
  readonly configuration: number;
  readonly inputs: PlannedInputs;
}

/** Heads of branches as last planned, or "" for a branch that was not there: the sweep finds missed webhooks by them. */
export interface HeadStore {
  get(repository: string, branch: string, options?: CallOptions): Promise<string | undefined>;
  /** Without the id of an index the branch has none from now on. */
  put(repository: string, branch: string, commit: string, options?: CallOptions & { readonly index?: string }): Promise<void>;
  /** The index that the head names. */
  index(repository: string, branch: string, options?: CallOptions): Promise<PlanIndex | undefined>;
  /** Writes an index, which counts once the head names it; returns its id, or undefined where one row has no room for it. */
  saveIndex(
    at: { readonly repository: string; readonly branch: string },
    index: Omit<PlanIndex, "id">,
    options?: CallOptions,
  ): Promise<string | undefined>;
}

/** Which repository a URL meant when it was first read, by the host's numeric id. */
export interface RepositoryStore {
  get(repository: string, options?: CallOptions): Promise<number | undefined>;
  /** Binds a repository to its id unless it is bound; returns the id that stands. One conditional write. */
  bind(repository: string, id: number, options?: CallOptions): Promise<number>;
  /** Binds it to the id that the configuration states, whatever it was bound to. */
  pin(repository: string, id: number, options?: CallOptions): Promise<void>;
}

/** What a cluster said last that it can do. */
export interface CapabilitiesStore {
  load(cluster: string, options?: CallOptions): Promise<ClusterCapabilities | undefined>;
  save(cluster: string, capabilities: ClusterCapabilities, options?: CallOptions): Promise<void>;
}

/** Rendered manifests, sealed (AES-256-GCM) and compressed, by keyed digest. */
export interface SnapshotStore {
  /** Stores manifests and returns their id; equal manifests have one id and are stored once. */
  save(objects: readonly Manifest[], options?: CallOptions): Promise<string>;
  /** Throws `not-found` when the snapshot is gone or incomplete: never an empty list by accident. */
  load(id: string, options?: CallOptions): Promise<readonly Manifest[]>;
}

/** A render that was made before: what it read, and where its objects are. */
export interface StoredRender {
  readonly snapshot: string;
  readonly inputs: RenderInputs;
  /** How many. */
  readonly objects: number;
  readonly warnings: readonly string[];
  /** Cluster, namespace and application that charts were told; "" when no chart was rendered. */
  readonly release: string;
}

/** The last renders under the digest of what was asked, so that the same inputs are rendered once; they expire after thirty days. */
export interface RenderStore {
  /** Newest first. */
  load(key: string, options?: CallOptions): Promise<readonly StoredRender[]>;
  /** Keeps the first eight of them, or as many as one row holds. Of two that save at once one wins: what is lost is rendered again one day. */
  save(key: string, renders: readonly StoredRender[], options?: CallOptions): Promise<void>;
}

/** What applications own. Saved before the first write of a sync, so a killed run forgets nothing. */
export interface InventoryStore {
  /** Undefined when the application never had one; throws `store` when a part of it is missing. */
  load(application: string, options?: CallOptions): Promise<Inventory | undefined>;
  /** Replaces the inventory; the write is refused (throws `lease`) when `fence` is older than the stored one. */
  save(inventory: Inventory, options: CallOptions & { readonly fence: number }): Promise<void>;
  /** Removes it; refused like `save`. */
  remove(application: string, options: CallOptions & { readonly fence: number }): Promise<void>;
}

/** History of runs; expires after 90 days. */
export interface SyncStore {
  /** Writes or replaces the row of one run, which its `id` and `startedAt` name: neither may change. */
  put(record: SyncRecord, options?: CallOptions): Promise<void>;
  list(application: string, request?: PageRequest): Promise<Page<SyncRecord>>;
}

/** All stores of one table. */
export interface Stores {
  readonly deliveries: DeliveryStore;
  readonly configuration: ConfigurationStore;
  readonly applications: ApplicationStore;
  readonly heads: HeadStore;
  readonly repositories: RepositoryStore;
  readonly capabilities: CapabilitiesStore;
  readonly renders: RenderStore;
  readonly snapshots: SnapshotStore;
  readonly inventories: InventoryStore;
  readonly syncs: SyncStore;
  readonly drift: DriftStore;
  readonly sweeps: SweepStore;
  readonly prevention: PreventionStore;
  readonly leases: LeaseStore;
  /** Keyed digest of a text, hex: equal texts have equal digests, and nobody without the snapshot key can guess the text from it. */
  digest(text: string): string;
}
