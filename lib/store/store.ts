import type { Application, Configuration } from "../model/application.ts";
import type { ClusterCapabilities, RenderInputs } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { Delivery, DeliveryState } from "../model/delivery.ts";
import type { Attribution, DriftRow, SweepReport } from "../model/drift.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Prevention } from "../model/prevention.ts";
import type { ApplicationFile } from "../model/project.ts";
import type { Manifest, ResourceRef } from "../model/resource.ts";
import type { ApplicationState, SyncRecord } from "../model/sync.ts";

/** A page of rows, newest first, and where the next begins; `next` undefined at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface PageRequest extends CallOptions {
  /** At most so many rows. Default 50. */
  readonly limit?: number;
  readonly from?: string;
}

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

/** The configuration in force: what was last read from the platform repository, and from the files that it names. */
export interface ConfigurationStore {
  save(stored: StoredConfiguration, options?: CallOptions): Promise<void>;
  load(options?: CallOptions): Promise<StoredConfiguration | undefined>;
  /** Keeps why the newest file is not in force; "" when it is. A problem of its own: what is stored stays in force. */
  saveProblem(problem: string, options?: CallOptions): Promise<void>;
  loadProblem(options?: CallOptions): Promise<string>;
  /** Keeps the number of the newest configuration whose every application has been looked at since. */
  saveSettled(number: number, options?: CallOptions): Promise<void>;
  loadSettled(options?: CallOptions): Promise<number>;
}

export interface StoredConfiguration {
  /** Put together from all files. */
  readonly configuration: Configuration;
  /** Commit that the platform's own file was read from. */
  readonly revision: string;
  /** Blob id of that file: equal means that nothing changed in it. */
  readonly oid: string;
  /** Counts up with every change of what is in force, so that going back to an earlier one is a change too. */
  readonly number: number;
  /** What gave it, the platform's own file first; absent in rows of older versions, when there was no other. */
  readonly files?: readonly StoredFile[];
}

/** One file of the configuration, and what it last gave. */
export interface StoredFile extends ApplicationFile {
  /** In which all its applications are; "" for the platform's own file. */
  readonly project: string;
  /** Commit and blob id that it was last read from without a problem; "" before the first time. */
  readonly revision: string;
  readonly oid: string;
  /** Names of those applications of the configuration that it gives. */
  readonly applications: readonly string[];
  /** What it gives now and is not in force, since another file has one of the names. */
  readonly waiting?: readonly Application[];
  /** What its generators ask for. */
  readonly directories: readonly StoredDirectories[];
  /** Why it still gives what it gave before; "" when it does not. Of the platform's own file it stands elsewhere. */
  readonly problem: string;
}

/** Folders that a generator asks for, as they were when the file was last read. */
export interface StoredDirectories {
  readonly repository: string;
  /** Branch. */
  readonly targetRevision: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Of the folders' paths; "" where they could not be listed. */
  readonly digest: string;
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

/** What rows are asked for; everything given has to hold. Nothing given: all drift. */
export interface DriftQuery extends PageRequest {
  readonly application?: string;
  readonly cluster?: string;
  /** Of the object; objects without a namespace are in none. */
  readonly namespace?: string;
  /** Of the object: `Deployment`, or `apps/Deployment` (`/Service` for the core group); case does not matter. */
  readonly kind?: string;
  /** The field manager that made the change. */
  readonly manager?: string;
  /** RFC 3339: rows healed before it are left out; open rows always stand. */
  readonly since?: string;
  /** Only open rows. */
  readonly open?: boolean;
}

/** Drift, open and healed. A row is the same row while application, object, field and kind are the same and it is open. */
export interface DriftStore {
  /**
   * The open rows, by when they were first seen, then healed ones by when they were healed; newest first. The pages of one listing
   * tell of the moment of the first: a row that is healed in between comes once, where it stood. A page may have fewer rows than
   * asked for, and still a next one, when many others had to be passed over.
   */
  list(query?: DriftQuery): Promise<Page<DriftRow>>;
  /** All open rows of one application. */
  open(application: string, options?: CallOptions): Promise<readonly DriftRow[]>;
  /** Rows of one application that one of our syncs healed at that time (RFC 3339) or later, newest first. */
  healedSince(application: string, since: string, options?: CallOptions): Promise<readonly DriftRow[]>;
  /**
   * Writes an open row. A row already open keeps its `firstSeen`, and its `by` as long as the manager is the same and the new one has none.
   * A row of kind `prevented` is written closed.
   */
  record(row: DriftRow, options?: CallOptions): Promise<void>;
  /** Closes open rows: sets `healedAt` and `healedBy`; they expire after 90 days. */
  heal(rows: readonly DriftRow[], healed: { readonly at: string; readonly by: string }, options?: CallOptions): Promise<void>;
  /** Says who made a change, in the matching rows of the object that are open, or were until 15 minutes ago, and do not say it; returns how many. */
  attribute(
    application: string,
    ref: ResourceRef,
    by: Attribution,
    matches: (row: DriftRow) => boolean,
    options?: CallOptions,
  ): Promise<number>;
}

export interface SweepStore {
  put(report: SweepReport, options?: CallOptions): Promise<void>;
  list(cluster: string, request?: PageRequest): Promise<Page<SweepReport>>;
}

/** What prevention has put into clusters; none for a cluster that never had any. */
export interface PreventionStore {
  load(cluster: string, options?: CallOptions): Promise<Prevention | undefined>;
  list(options?: CallOptions): Promise<readonly Prevention[]>;
  /** Two that save at once are sweeps of one cluster, which write the same. */
  save(prevention: Prevention, options?: CallOptions): Promise<void>;
  remove(cluster: string, options?: CallOptions): Promise<void>;
}

/** Who may write for an application now. */
export interface Lease {
  readonly application: string;
  /** Id of the run that holds it. */
  readonly holder: string;
  /** Counts up with every new holder; a write with an older one is refused. */
  readonly fence: number;
  /** Generation of the desired state that the holder works on. */
  readonly generation: number;
  /** `applying`: nobody else may start; `waiting`: a newer generation may take over at once. */
  readonly phase: "applying" | "waiting";
  /** RFC 3339. After it anyone may take over. */
  readonly expiresAt: string;
}

export interface LeaseRequest extends CallOptions {
  readonly application: string;
  readonly holder: string;
  readonly generation: number;
  /** Seconds until it expires unless renewed. */
  readonly seconds: number;
}

export interface LeaseStore {
  /**
   * Takes the lease when it is free, expired, already this holder's, or held in phase `waiting` for an older generation.
   * A holder that takes its own lease again keeps its fence. Otherwise returns who holds it; one that works on an older
   * generation is refused its next renewal, so that it ends there.
   */
  acquire(
    request: LeaseRequest,
  ): Promise<{ readonly acquired: true; readonly lease: Lease } | { readonly acquired: false; readonly held: Lease }>;
  /** False when it was taken over, or a newer generation asks for it: what `renew` would answer, by a read, which many share. */
  holds(lease: Lease, options?: CallOptions): Promise<boolean>;
  /** Extends a lease and sets its phase; false when it was taken over, or a newer generation asks for it. */
  renew(
    lease: Lease,
    change: { readonly phase: Lease["phase"]; readonly seconds: number },
    options?: CallOptions,
  ): Promise<boolean>;
  /** Gives it back; no-op when it was taken over. The fence keeps counting. */
  release(lease: Lease, options?: CallOptions): Promise<void>;
  /** Undefined when free (released or never taken). */
  get(application: string, options?: CallOptions): Promise<Lease | undefined>;
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
