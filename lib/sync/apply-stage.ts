import { applyObjects } from "../apply/apply-objects.ts";
import { isFoundation, waitEstablished } from "../apply/establish.ts";
import { type LiveObjects, listLive } from "../apply/live.ts";
import { type DesiredObject, type Prepared, prepareObjects } from "../apply/prepare.ts";
import type { ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { displayRef, gvkOf, type Manifest, resourceKey } from "../model/resource.ts";
import type { Change, SyncBatch } from "../model/sync.ts";
import { isSuspect } from "../ownership/suspect.ts";
import { planSync, type SyncPlan } from "../plan/plan-sync.ts";
import { applyStages } from "../plan/stages.ts";
import { concluded, type Progress, type Work, withChanges } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** An application on its way through the apply stage. */
interface Loaded {
  readonly progress: Progress;
  readonly work: Work;
  readonly objects: readonly Manifest[];
  readonly entries: readonly InventoryEntry[];
}

/** Seconds for definitions to be established and namespaces to be active. */
const establishSeconds = 60;

/** Writes what differs, in order of kinds; says in the inventory what it may create before it creates it. */
export function createApplyStage(deps: SyncDeps): RunStage {
  const { stores, clusters, log } = deps;

  return async (here, { batch }) => {
    const loaded = await mapConcurrently(here, { limit: 32, work: load });
    const ready = loaded.filter((item): item is Loaded => "objects" in item);
    const ended = loaded.filter((item): item is Progress => !("objects" in item));
    if (ready.length === 0) return ended;
    try {
      const writer = await clusters.writer(batch.cluster);
      const { live } = await listLive({
        reader: writer,
        kinds: kindsOf(ready),
        applications: ready.map(({ work }) => work.definition.name),
      });
      return [
        ...ended,
        ...(await mapConcurrently(ready, { limit: 16, work: (item) => applyOne(item, { writer, live, batch }) })),
      ];
    } catch (error) {
      return [...ended, ...ready.map(({ progress, work }) => failed(progress, work, error))];
    }
  };

  async function load(progress: Progress): Promise<Loaded | Progress> {
    const work = progress.work as Work;
    try {
      const [objects, inventory] = await Promise.all([
        work.desired.snapshot === "" ? [] : stores.snapshots.load(work.desired.snapshot),
        stores.inventories.load(progress.application),
      ]);
      return { progress, work, objects: [...ownNamespace(work, objects), ...objects], entries: inventory?.entries ?? [] };
    } catch (error) {
      if (!isDriftlessError(error, "not-found")) throw error;
      return concluded(progress, work, "Failed", messageOf(error));
    }
  }

  async function applyOne(
    { progress, work, objects, entries }: Loaded,
    { writer, live, batch }: { readonly writer: ClusterWriter; readonly live: LiveObjects; readonly batch: SyncBatch },
  ): Promise<Progress> {
    const { name: application, namespace } = work.definition;
    const logger = log.with({ application, sync: work.syncId, correlationId: batch.correlationId });
    try {
      const prepared = await prepareObjects({ application, namespace, objects, reader: writer, digest: stores.digest });
      const plan = planSync({ objects: prepared.desired, inventory: entries, live, isSuspect });
      const toApply = plan.apply.map(({ object }) => object);
      const superset = withPlaceholders(marked(entries, prepared.desired), toApply);
      if (superset.some((entry) => !entries.includes(entry))) await saveEntries(work, superset);
      const outcome = await applyInOrder({ work, writer, live, objects: toApply, heal: batch.trigger === "heal", logger });
      if (outcome.entries.length > 0) await saveEntries(work, merged(superset, outcome.entries));
      return settle(progress, work, { prepared, plan, outcome });
    } catch (error) {
      logger.warn("sync.apply-failed", { error: messageOf(error) });
      return failed(progress, work, error);
    }
  }

  async function applyInOrder(request: {
    readonly work: Work;
    readonly writer: ClusterWriter;
    readonly live: LiveObjects;
    readonly objects: readonly DesiredObject[];
    readonly heal: boolean;
    readonly logger: SyncDeps["log"];
  }): Promise<Outcome> {
    const { work, writer, live, objects, heal, logger } = request;
    const force = work.definition.sync.conflicts === "fail" ? "never" : heal ? "at-once" : "ask-first";
    const stillMine = () => stores.leases.renew(work.lease, { phase: "applying", seconds: leaseSeconds });
    const applyAll = (part: readonly DesiredObject[]) =>
      applyObjects({ writer, live, stages: applyStages(part), force, stillMine, log: logger });

    const foundation = objects.filter(({ manifest }) => isFoundation(manifest));
    const first = await applyAll(foundation);
    const late = await waitEstablished({
      reader: writer,
      objects: foundation.slice(0, first.length),
      timeoutSeconds: establishSeconds,
    });
    const rest = await applyAll(objects.filter(({ manifest }) => !isFoundation(manifest)));
    const applied = [...first, ...rest];
    for (const { change } of applied) logger.debug(`sync.${change.action}`, { ref: displayRef(change.ref) });
    return {
      changes: [
        ...applied.map(({ change }) => change),
        ...late.map(({ ref, error }): Change => ({ action: "failed", ref, error })),
      ],
      entries: applied.flatMap(({ entry }) => (entry ? [entry] : [])),
      retryable: applied.some(({ retryable }) => retryable) || late.length > 0,
    };
  }

  /** Counts up what happened; whether the lease is still held is seen by the health stage, before anything else is done. */
  function settle(
    progress: Progress,
    work: Work,
    {
      prepared,
      plan,
      outcome,
    }: { readonly prepared: Prepared; readonly plan: SyncPlan<DesiredObject>; readonly outcome: Outcome },
  ): Progress {
    const changes = [...prepared.failed, ...outcome.changes];
    const counted = withChanges(work, changes, ({ ref, error }) => named(displayRef(ref), error));
    const counts = { ...counted.counts, unchanged: counted.counts.unchanged + plan.unchanged.length };
    const next: Work = { ...counted, counts, retryable: outcome.retryable || prepared.retryable, leaving: plan.prune.length };
    return { ...progress, stage: "health", work: next };
  }

  async function saveEntries(work: Work, entries: readonly InventoryEntry[]): Promise<void> {
    const { name: application, cluster } = work.definition;
    await stores.inventories.save({ application, cluster, entries }, { fence: work.lease.fence });
  }
}

/** An error with its object in front, unless it names it already. */
const named = (object: string, error: string): string => (error.includes(object) ? error : `${object}: ${error}`);

interface Outcome {
  readonly changes: readonly Change[];
  readonly entries: readonly InventoryEntry[];
  readonly retryable: boolean;
}

/** A lost lease means that a newer run took over; an API server that is away may come back; the rest stays as it is. */
function failed(progress: Progress, work: Work, error: unknown): Progress {
  if (isDriftlessError(error, "lease")) return concluded(progress, work, "Superseded");
  if (!isDriftlessError(error, "cluster", "apply", "not-found")) throw error;
  return concluded(progress, { ...work, retryable: error.retryable }, "Failed", messageOf(error));
}

/** The namespace that `createNamespace` asks for, unless the application brings it itself. */
function ownNamespace({ definition, removed }: Work, objects: readonly Manifest[]): readonly Manifest[] {
  const { namespace, sync } = definition;
  if (removed || !sync.createNamespace || namespace === "") return [];
  const brought = objects.some(
    ({ apiVersion, kind, metadata }) => apiVersion === "v1" && kind === "Namespace" && metadata.name === namespace,
  );
  return brought ? [] : [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
}

/** The inventory with an empty entry for every object that is about to be created, so that a killed run forgets nothing. */
function withPlaceholders(entries: readonly InventoryEntry[], objects: readonly DesiredObject[]): readonly InventoryEntry[] {
  const known = new Set(entries.map(({ ref }) => resourceKey(ref)));
  const added = objects
    .filter(({ ref }) => !known.has(resourceKey(ref)))
    .map(({ ref }) => ({ ref, digest: "", uid: "", resourceVersion: "", fingerprint: "", appliedAt: "" }));
  return [...entries, ...added];
}

/** Marks what left the desired state, and clears the mark of what came back; entries that stay as they are are the same value. */
function marked(entries: readonly InventoryEntry[], desired: readonly DesiredObject[]): readonly InventoryEntry[] {
  const wanted = new Set(desired.map(({ ref }) => resourceKey(ref)));
  return entries.map((entry) => {
    const { leaving = false, ...kept } = entry;
    const leaves = !wanted.has(resourceKey(entry.ref));
    if (leaves === leaving) return entry;
    return leaves ? { ...kept, leaving: true } : kept;
  });
}

function merged(entries: readonly InventoryEntry[], changed: readonly InventoryEntry[]): readonly InventoryEntry[] {
  const byKey = new Map(changed.map((entry) => [resourceKey(entry.ref), entry]));
  return entries.map((entry) => byKey.get(resourceKey(entry.ref)) ?? entry);
}

function kindsOf(items: readonly Loaded[]): ReturnType<typeof gvkOf>[] {
  return items.flatMap(({ objects, entries }) => [...objects.map(gvkOf), ...entries.map(({ ref }) => ref)]);
}
