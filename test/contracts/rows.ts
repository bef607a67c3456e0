import type { Application, SyncPolicy } from "../../lib/model/application.ts";
import type { RenderInputs, RepositoryInputs } from "../../lib/model/application-source.ts";
import type { Delivery } from "../../lib/model/delivery.ts";
import type { DriftRow, SweepReport } from "../../lib/model/drift.ts";
import type { Inventory, InventoryEntry } from "../../lib/model/inventory.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { ApplicationState, SyncRecord } from "../../lib/model/sync.ts";

export function aDelivery(change: Partial<Delivery> = {}): Delivery {
  return {
    id: "0b5a9c1e-1",
    event: "push",
    repository: "https://github.com/acme/shop.git",
    branch: "main",
    after: "6dcb09b5b57875f334f61aebed695e2e4193db5e",
    receivedAt: "2025-03-01T11:59:00.000Z",
    state: "received",
    applications: [],
    reason: "",
    ...change,
  };
}

export function anApplication(change: Partial<Application> = {}): Application {
  return {
    name: "shop",
    project: "default",
    sources: [{ kind: "git", repository: "https://github.com/acme/shop.git", targetRevision: "main", path: "apps/shop" }],
    cluster: "eu",
    namespace: "shop",
    sync: aSyncPolicy(),
    drift: "heal",
    additions: "report",
    ignoreDifferences: [],
    dependsOn: [],
    rollback: "manual",
    syncWindows: [],
    ...change,
  };
}

/** Every default. */
export function aSyncPolicy(change: Partial<SyncPolicy> = {}): SyncPolicy {
  return {
    mode: "auto",
    prune: true,
    allowEmpty: false,
    conflicts: "force",
    createNamespace: false,
    timeout: 300,
    hookTimeout: 3600,
    retry: { limit: 5, backoff: { duration: 5, factor: 2, maxDuration: 180 } },
    ...change,
  };
}

/** What a render read at the head of the one branch. */
export function aRead(paths: RepositoryInputs["paths"]): RenderInputs {
  const read = { repository: "https://github.com/acme/shop.git", targetRevision: "main", revision: "6dcb09b", paths };
  return { repositories: [read], pinned: [], cluster: "" };
}

export function aState(change: Partial<ApplicationState> = {}): ApplicationState {
  return {
    application: "shop",
    definition: anApplication(),
    removed: false,
    definitionDigest: "d1",
    inputs: aRead({ "shop/deployment.yaml": "a1", "shop/kustomization.yaml": "" }),
    planError: "",
    plannedRevision: "6dcb09b",
    health: { status: "Healthy", message: "" },
    drifted: 0,
    additions: 0,
    version: 1,
    ...change,
  };
}

export function aSync(change: Partial<SyncRecord> = {}): SyncRecord {
  return {
    id: "run-1",
    application: "shop",
    cluster: "eu",
    revision: "6dcb09b",
    generation: 1,
    snapshot: "s1",
    trigger: "push",
    correlationId: "0b5a9c1e-1",
    phase: "Running",
    startedAt: "2025-03-01T11:59:01.000Z",
    finishedAt: "",
    health: { status: "Progressing", message: "1 of 3 pods are ready" },
    counts: { created: 1, configured: 0, unchanged: 2, pruned: 0, failed: 0 },
    errors: [],
    notes: [],
    attempt: 1,
    retryable: false,
    ...change,
  };
}

export function aRow(change: Partial<DriftRow> = {}): DriftRow {
  return {
    application: "shop",
    cluster: "eu",
    kind: "changed",
    ref: { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" },
    field: "spec.replicas",
    desired: 3,
    live: 5,
    manager: "kubectl-scale",
    operation: "Update",
    changedAt: "2025-03-01T11:58:00Z",
    firstSeen: "2025-03-01T11:58:30.000Z",
    lastSeen: "2025-03-01T11:58:30.000Z",
    healedAt: "",
    healedBy: "",
    ...change,
  };
}

export function aSweep(change: Partial<SweepReport> = {}): SweepReport {
  return {
    id: "sweep-1",
    cluster: "eu",
    startedAt: "2025-03-01T11:58:00.000Z",
    durationMs: 210,
    applications: 12,
    objects: 480,
    kinds: 4,
    requests: 9,
    pages: 4,
    dryRuns: 1,
    bytes: 912_345,
    cpuMs: 180,
    peakMemoryMiB: 140,
    suspects: 1,
    drifted: 1,
    healing: ["shop"],
    healthChanged: ["shop"],
    unknownOwners: [],
    skipped: [],
    errors: [],
    ...change,
  };
}

export function aConfigMap(name: string, text = "v"): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "shop" }, data: { text } };
}

/** Digests and uids that do not compress, as real ones. */
export function anEntry(number: number): InventoryEntry {
  const noise = (salt: number) => Array.from({ length: 8 }, (_, at) => scrambled(number * 64 + salt * 8 + at)).join("");
  return {
    ref: { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: `web-${number}` },
    digest: noise(1),
    uid: noise(2).slice(0, 36),
    resourceVersion: String(100_000 + number),
    fingerprint: noise(3),
    appliedAt: "2025-03-01T11:59:05Z",
  };
}

export function anInventory(entries: number, change: Partial<Inventory> = {}): Inventory {
  return {
    application: "shop",
    cluster: "eu",
    entries: Array.from({ length: entries }, (_, number) => anEntry(number)),
    ...change,
  };
}

/** Eight hexadecimal digits, the same for the same number. */
function scrambled(seed: number): string {
  let value = (seed + 0x9e3779b9) | 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
