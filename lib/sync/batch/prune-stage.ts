import { type PruneResult, pruneObjects, terminatingText } from "../../apply/prune.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { displayRef, resourceKey } from "../../model/resource.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { type PruneVerdict, pruneGuard } from "../../plan/prune-guard.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { type Claims, readClaims } from "../claims.ts";
import { type Kept, keptForOthers, keptText, liveLeaving } from "../leaving.ts";
import { createHeldWriter } from "./held-writer.ts";
import { openedFor } from "./opened-for.ts";
import { createPreflight } from "./preflight.ts";
import { concluded, failed, type Progress, type Work, withChanges, withError, withNotes } from "./progress.ts";
import { refusedMeanwhile } from "./refused-meanwhile.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** Names in a row: once these have no claim any more, the next run names others. */
const mostKeptFor = 20;

interface Pruned {
  readonly guard: PruneVerdict;
  readonly result: PruneResult;
  readonly kept: readonly Kept[];
}

/**
 * Deletes what left the desired state, last, and only as far as the guard allows. What a delete leaves behind (a finalizer
 * at work), and what another application wants or may want, stays in the inventory until it is really gone.
 */
export function createPruneStage(deps: SyncDeps): RunStage {
  const { stores, clusters, clock, log } = deps;
  const preflight = createPreflight(deps);

  return (here, { batch }) => {
    const leavers = here.flatMap(({ application, work }) => (work !== undefined && work.leaving > 0 ? [application] : []));
    let claims: Promise<Claims> | undefined;
    const claimsOf = (reader: ClusterReader) => (claims ??= readClaims(deps, { cluster: batch.cluster, reader, leavers }));
    return mapConcurrently(here, { limit: 16, work: (progress) => prune(progress, { batch, claimsOf }) });
  };

  async function prune(progress: Progress, run: PruneRun): Promise<Progress> {
    const work = progress.work as Work;
    try {
      return await pruneOne(progress, work, run);
    } catch (error) {
      if (isDriftlessError(error, "lease")) return concluded(progress, work, "Superseded");
      if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found")) throw error;
      return failed(progress, withError(work, error), `prune: ${messageOf(error)}`);
    }
  }

  async function pruneOne(progress: Progress, work: Work, { batch, claimsOf }: PruneRun): Promise<Progress> {
    const { name: application, cluster, sync: policy } = work.target;
    if (work.leaving === 0) return concluded(progress, work, "Succeeded");
    const entries = (await stores.inventories.load(application))?.entries ?? [];
    const leaving = entries.filter((entry) => entry.leaving === true);
    if (leaving.length === 0) return concluded(progress, work, "Succeeded");
    const refusal = await refusedMeanwhile(stores, application);
    if (refusal !== undefined) return concluded(progress, work, "Failed", `nothing was pruned: ${refusal}`);
    const writer = await clusters.writer(cluster, openedFor(batch));
    const claims = await claimsOf(writer);
    const live = await liveLeaving(leaving, { reader: writer, application });
    const kept = keptForOthers(leaving, { claims, live, application });
    const free = leaving.filter((entry) => !kept.some((other) => other.entry === entry));
    const { removed, approvedPrune: approved } = work;
    const guard = pruneGuard({ leaving: free, inventoryCount: entries.length, policy, removed, application, approved, live });
    const renew = () => stores.leases.renew(work.lease, { phase: "applying", seconds: leaseSeconds });
    const mine = createHeldWriter({ writer, renew, clock });
    if (!(await mine.stillMine())) return concluded(progress, work, "Superseded");

    const missing = await preflight.beforePrune(guard.prune, { writer, batch });
    if (missing.length > 0) return failed(progress, { ...work, retryable: true }, ...missing);
    const result = await pruneObjects({ writer: mine.writer, application, entries: guard.prune });
    const next = afterPrune(entries, { dropped: guard.drop, result });
    if (next.length < entries.length)
      await stores.inventories.save({ application, cluster, entries: next }, { fence: work.lease.fence });
    const notes = guard.skipped.map(({ ref, reason }) => `${displayRef(ref)} stays: ${reason}`);
    const noted = { ...withNotes(work, notes), keptFor: keptForNames(kept, application) };
    const counted = withChanges(
      noted,
      [...guard.skipped, ...result.changes],
      ({ ref, error }) => `prune ${displayRef(ref)}: ${error}`,
    );
    const logger = log.with({ application, sync: work.syncId, correlationId: batch.correlationId });
    for (const { ref, reason } of guard.skipped) logger.info("sync.prune-skipped", { ref: displayRef(ref), reason });
    for (const { action, ref } of result.changes) logger.info(`sync.${action}`, { ref: displayRef(ref) });
    for (const { entry, by, why } of kept) logger.debug("sync.prune-held", { ref: displayRef(entry.ref), by, why });
    return decide(progress, counted, { guard, result, kept });
  }

  async function decide(progress: Progress, before: Work, { guard, result, kept }: Pruned): Promise<Progress> {
    const unsynced = kept.filter(({ why }) => why === "unsynced");
    const unplanned = kept.filter(({ why }) => why === "unplanned");
    const staying = kept.filter(({ why }) => why === "unrendered" || why === "pending");
    const stuck = result.terminating.filter(({ entry }) => entry.hook !== true);
    const hooks = result.terminating.filter(({ entry }) => entry.hook === true);
    const work = withNotes(before, [...staying.map(keptLine), ...hooks.map(terminatingLine)]);
    if (result.changes.some(({ action }) => action === "failed")) return failed(progress, work);
    if (guard.blocked !== "") return concluded(progress, work, "Blocked", guard.blocked);
    // What a hook leaves behind holds nothing up.
    if (stuck.length + unsynced.length + unplanned.length === 0) return concluded(progress, work, "Succeeded");
    const waitsSince = work.waitsSince || timestamp(clock);
    if (clock.now().getTime() < Date.parse(waitsSince) + work.target.sync.timeout * 1000) {
      const mine = await stores.leases.renew(work.lease, { phase: "waiting", seconds: leaseSeconds });
      // What stays may be another thing by the next look.
      return mine ? { ...progress, work: { ...before, waitsSince }, waiting: true } : concluded(progress, work, "Superseded");
    }
    const noted = withNotes(work, unplanned.map(keptLine));
    if (stuck.length + unsynced.length === 0) return concluded(progress, noted, "Succeeded");
    return failed(progress, { ...noted, retryable: true }, ...stuck.map(terminatingLine), ...unsynced.map(keptLine));
  }
}

/** For whom objects stay; what stays for a branch, the sweep looks at again as the application's own. */
function keptForNames(kept: readonly Kept[], application: string): readonly string[] {
  const names = kept.flatMap(({ why, by }) => (why === "unplanned" ? [application] : by));
  return [...new Set(names)].slice(0, mostKeptFor);
}

function keptLine(kept: Kept): string {
  return `${displayRef(kept.entry.ref)} stays: ${keptText(kept)}`;
}

function terminatingLine({ entry, finalizers }: PruneResult["terminating"][number]): string {
  return `${displayRef(entry.ref)} ${terminatingText(finalizers)}`;
}

interface PruneRun {
  readonly batch: SyncBatch;
  /** Read once for all applications of the stage. */
  readonly claimsOf: (reader: ClusterReader) => Promise<Claims>;
}

/** The inventory less what is gone, or belongs to another application now. */
function afterPrune(
  entries: readonly InventoryEntry[],
  { dropped, result }: { readonly dropped: readonly InventoryEntry[]; readonly result: PruneResult },
): readonly InventoryEntry[] {
  const gone = new Set([...dropped, ...result.gone].map(({ ref }) => resourceKey(ref)));
  return entries.filter(({ ref }) => !gone.has(resourceKey(ref)));
}
