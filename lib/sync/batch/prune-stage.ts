import { type LiveObjects, listLive } from "../../apply/live.ts";
import { type PruneResult, pruneObjects } from "../../apply/prune.ts";
import type { ClusterReader, ClusterWriter } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { applicationLabel, displayRef, resourceKey } from "../../model/resource.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { type PruneVerdict, pruneGuard } from "../../plan/prune-guard.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { type Claims, readClaims } from "../claims.ts";
import { createHeldWriter } from "./held-writer.ts";
import { concluded, failed, type Progress, type Work, withChanges, withError, withNotes } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** An object that stays for now, because applications want it that have not applied it yet. */
interface Held {
  readonly entry: InventoryEntry;
  readonly by: readonly string[];
}

interface Pruned {
  readonly guard: PruneVerdict;
  readonly result: PruneResult;
  readonly held: readonly Held[];
}

/**
 * Deletes what left the desired state, last, and only as far as the guard allows. What a delete leaves behind (a finalizer
 * at work), and what another application is about to take over, stays in the inventory until it is really gone.
 */
export function createPruneStage(deps: SyncDeps): RunStage {
  const { stores, clusters, clock, log } = deps;

  return (here, { batch }) => {
    let claims: Promise<Claims> | undefined;
    const claimsOf = (reader: ClusterReader) => (claims ??= readClaims(deps, { cluster: batch.cluster, reader }));
    return mapConcurrently(here, { limit: 16, work: (progress) => prune(progress, { batch, claimsOf }) });
  };

  async function prune(progress: Progress, run: PruneRun): Promise<Progress> {
    const work = progress.work as Work;
    try {
      return await pruneOne(progress, work, run);
    } catch (error) {
      if (isDriftlessError(error, "lease")) return concluded(progress, work, "Superseded");
      if (!isDriftlessError(error, "cluster", "apply", "not-found")) throw error;
      return failed(progress, withError(work, error), `prune: ${messageOf(error)}`);
    }
  }

  async function pruneOne(progress: Progress, work: Work, { batch, claimsOf }: PruneRun): Promise<Progress> {
    const { name: application, cluster, sync: policy } = work.target;
    if (work.leaving === 0) return concluded(progress, work, "Succeeded");
    const entries = (await stores.inventories.load(application))?.entries ?? [];
    const leaving = entries.filter((entry) => entry.leaving === true);
    if (leaving.length === 0) return concluded(progress, work, "Succeeded");
    const writer = await clusters.writer(cluster);
    const claims = await claimsOf(writer);
    const live = await liveOf(leaving, { writer, application });
    const { held, promised } = heldBack(leaving, { claims, live, work });
    const free = leaving.filter((entry) => ![...held, ...promised].some((other) => other.entry === entry));
    const { removed, approvedPrune: approved } = work;
    const guard = pruneGuard({ leaving: free, inventoryCount: entries.length, policy, removed, application, approved, live });
    const renew = () => stores.leases.renew(work.lease, { phase: "applying", seconds: leaseSeconds });
    const mine = createHeldWriter({ writer, renew, clock });
    if (!(await mine.stillMine())) return concluded(progress, work, "Superseded");

    const result = await pruneObjects({ writer: mine.writer, application, entries: guard.prune });
    const next = afterPrune(entries, { dropped: guard.drop, result });
    if (next.length < entries.length)
      await stores.inventories.save({ application, cluster, entries: next }, { fence: work.lease.fence });
    const notes = promised.map(
      ({ entry, by }) => `${displayRef(entry.ref)} stays: ${by.join(" and ")} states it, and waits for leave`,
    );
    const counted = withChanges(
      withNotes(work, [...notes, ...guard.skipped.map(({ ref, reason }) => `${displayRef(ref)} stays: ${reason}`)]),
      [...guard.skipped, ...result.changes],
      ({ ref, error }) => `prune ${displayRef(ref)}: ${error}`,
    );
    const logger = log.with({ application, sync: work.syncId, correlationId: batch.correlationId });
    for (const { ref, reason } of guard.skipped) logger.info("sync.prune-skipped", { ref: displayRef(ref), reason });
    for (const { action, ref } of result.changes) logger.info(`sync.${action}`, { ref: displayRef(ref) });
    for (const { entry, by } of held) logger.debug("sync.prune-held", { ref: displayRef(entry.ref), by });
    return decide(progress, counted, { guard, result, held });
  }

  async function decide(progress: Progress, work: Work, { guard, result, held }: Pruned): Promise<Progress> {
    if (result.changes.some(({ action }) => action === "failed")) return failed(progress, work);
    if (guard.blocked !== "") return concluded(progress, work, "Blocked", guard.blocked);
    if (result.terminating.length === 0 && held.length === 0) return concluded(progress, work, "Succeeded");
    const waitsSince = work.waitsSince || timestamp(clock);
    if (clock.now().getTime() < Date.parse(waitsSince) + work.target.sync.timeout * 1000) {
      const mine = await stores.leases.renew(work.lease, { phase: "waiting", seconds: leaseSeconds });
      return mine ? { ...progress, work: { ...work, waitsSince }, waiting: true } : concluded(progress, work, "Superseded");
    }
    const stuck = result.terminating.map(
      ({ ref, finalizers }) => `${displayRef(ref)} is still being deleted (finalizers: ${finalizers.join(", ") || "none"})`,
    );
    const wanted = held.map(
      ({ entry, by }) => `${displayRef(entry.ref)} is kept for ${by.join(" and ")}, which has not applied it yet`,
    );
    return failed(progress, { ...work, retryable: true }, ...stuck, ...wanted);
  }
}

interface PruneRun {
  readonly batch: SyncBatch;
  /** Read once for all applications of the stage. */
  readonly claimsOf: (reader: ClusterReader) => Promise<Claims>;
}

/** What others claim and still carries our label; once it carries another's, the guard lets it go. */
function heldBack(
  leaving: readonly InventoryEntry[],
  { claims, live, work }: { readonly claims: Claims; readonly live: LiveObjects; readonly work: Work },
): { readonly held: readonly Held[]; readonly promised: readonly Held[] } {
  const { name } = work.target;
  const heirs = work.removed ? claims.heirs(name) : [];
  const ours = leaving.filter(({ ref }) => live.get(resourceKey(ref))?.metadata.labels?.[applicationLabel] === name);
  const claimed = ours.map((entry) => {
    const key = resourceKey(entry.ref);
    return { entry, by: [...new Set([...claims.wanting(key), ...heirs])], later: claims.pending(key) };
  });
  return {
    held: claimed.filter(({ by }) => by.length > 0),
    promised: claimed.flatMap(({ entry, by, later }) => (by.length === 0 && later.length > 0 ? [{ entry, by: later }] : [])),
  };
}

/** What is live of the leaving entries. One that lost our label is not in the list, and must not be taken for gone. */
async function liveOf(
  leaving: readonly InventoryEntry[],
  { writer, application }: { readonly writer: ClusterWriter; readonly application: string },
): Promise<LiveObjects> {
  const { live: listed } = await listLive({ reader: writer, kinds: leaving.map(({ ref }) => ref), applications: [application] });
  const unlisted = leaving.filter(({ ref }) => !listed.has(resourceKey(ref)));
  const found = await mapConcurrently(unlisted, {
    limit: 8,
    work: async ({ ref }) => [resourceKey(ref), await writer.get(ref)] as const,
  });
  return new Map([...listed, ...found.flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const]))]);
}

/** The inventory less what is gone, or belongs to another application now. */
function afterPrune(
  entries: readonly InventoryEntry[],
  { dropped, result }: { readonly dropped: readonly InventoryEntry[]; readonly result: PruneResult },
): readonly InventoryEntry[] {
  const gone = new Set([...dropped, ...result.gone].map(({ ref }) => resourceKey(ref)));
  return entries.filter(({ ref }) => !gone.has(resourceKey(ref)));
}
