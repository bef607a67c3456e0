import { setTimeout as delay } from "node:timers/promises";
import { type HookOutcome, hookOutcomes } from "../../apply/hooks.ts";
import { type OwnedHealth, readHealth } from "../../apply/read-health.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { Health } from "../../model/health.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { type Manifest, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { isSuspect } from "../../ownership/suspect.ts";
import { openedFor } from "./opened-for.ts";
import { isCounted, type Progress, type StartedHook, type Work } from "./progress.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Milliseconds between the first looks at the health of what was just applied. */
const looksAfter = [100, 200, 300] as const;

/** Seconds after which the pods of what is not ready are asked why. */
const podsAfter = 3;

/** What was seen of one application. */
export interface Look {
  readonly entries: readonly InventoryEntry[];
  readonly refs: readonly ResourceRef[];
  /** Those of them that were not well. */
  readonly unwell: readonly ResourceRef[];
  readonly health: Health;
  readonly hooks: readonly HookOutcome[];
  /** Objects that this sync applied, and that somebody may have changed since, or deleted. */
  readonly suspects: readonly Suspect[];
}

export interface Suspect {
  readonly entry: InventoryEntry;
  /** Undefined when it is gone. */
  readonly object: Manifest | undefined;
}

export const unseen: Look = {
  entries: [],
  refs: [],
  unwell: [],
  health: { status: "Unknown", message: "the API server did not answer" },
  hooks: [],
  suspects: [],
};

/** Looks at waves: the health of their objects, and how their hooks stand. */
export function createHealthLook({ stores, clusters, assessor, clock, log }: SyncDeps) {
  return lookPatiently;

  /**
   * Right after an apply most rollouts need less than a second: looking again costs less than a pause of the run, and only at
   * what was not well a moment ago.
   */
  async function lookPatiently(here: readonly Progress[], batch: SyncBatch): Promise<ReadonlyMap<string, Look>> {
    const known = new Map(
      here.flatMap(({ application, work }) => (work?.seen ? [[application, quietLook(work.seen)] as const] : [])),
    );
    let looks = new Map([
      ...known,
      ...(await look(
        here.filter(({ application }) => !known.has(application)),
        batch,
      )),
    ]);
    if (!here.some(({ work }) => work?.lease.phase === "applying")) return looks;
    for (const pause of looksAfter) {
      const open = here.filter(({ application }) => !isSettled(looks.get(application)));
      if (open.length === 0) break;
      await delay(pause);
      looks = new Map([...looks, ...(await look(open, batch, looks))]);
    }
    return looks;
  }

  async function look(
    here: readonly Progress[],
    batch: SyncBatch,
    before: ReadonlyMap<string, Look> = new Map(),
  ): Promise<ReadonlyMap<string, Look>> {
    if (here.length === 0) return new Map();
    const owned = await mapConcurrently(here, {
      limit: 32,
      work: async (progress) => {
        const { application, work } = progress as Progress & { readonly work: Work };
        const entries = before.get(application)?.entries ?? (await entriesOf(application, work));
        const refs = entries.map(({ ref }) => ref);
        const asked = before.get(application)?.unwell ?? refs;
        return { application, entries, refs, asked, readsPods: waited(work) >= podsAfter };
      },
    });
    try {
      const [reader, assess] = await Promise.all([clusters.reader(batch.cluster, openedFor(batch)), assessor()]);
      const [health, hooks] = await Promise.all([
        readHealth({ reader, owned: owned.map(({ asked, entries: _all, ...rest }) => ({ ...rest, refs: asked })), assess }),
        mapConcurrently(here, { limit: 16, work: ({ work }) => hookOutcomes({ reader, assess, hooks: running(work as Work) }) }),
      ]);
      return new Map(
        owned.flatMap(({ application, entries, refs }, index): (readonly [string, Look])[] => {
          const seen = health.get(application);
          if (seen === undefined) return [];
          const { objects, ...rest } = seen;
          const suspects = suspectsOf(entries, { objects, before: before.get(application)?.suspects ?? [] });
          return [[application, { entries, refs, ...rest, hooks: hooks[index] ?? [], suspects }]];
        }),
      );
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found")) throw error;
      log.warn("sync.health-unknown", { cluster: batch.cluster, error: messageOf(error), correlationId: batch.correlationId });
      return new Map();
    }
  }

  async function entriesOf(application: string, work: Work): Promise<readonly InventoryEntry[]> {
    const entries = (await stores.inventories.load(application))?.entries ?? [];
    return entries.filter((entry) => isCounted(entry, work));
  }

  /** Seconds since the wave was applied. */
  function waited({ waitsSince }: Work): number {
    return waitsSince === "" ? 0 : (clock.now().getTime() - Date.parse(waitsSince)) / 1000;
  }
}

/** What an apply that changed nothing has seen already. */
function quietLook(health: Health): Look {
  return { entries: [], refs: [], unwell: [], health, hooks: [], suspects: [] };
}

/** What the look saw, and of what it did not ask again what the one before it saw. */
function suspectsOf(
  entries: readonly InventoryEntry[],
  { objects, before }: { readonly objects: OwnedHealth["objects"]; readonly before: readonly Suspect[] },
): readonly Suspect[] {
  return entries.flatMap((entry): readonly Suspect[] => {
    const key = resourceKey(entry.ref);
    if (!objects.has(key)) return before.filter((known) => known.entry === entry);
    const object = objects.get(key);
    return object === undefined || isSuspect(entry, object.metadata) ? [{ entry, object }] : [];
  });
}

function isSettled(look: Look | undefined): boolean {
  return look !== undefined && look.health.status !== "Progressing" && !look.hooks.some(isRunning);
}

export function running({ hooks }: Pick<Work, "hooks">): readonly StartedHook[] {
  return hooks.filter(({ outcome }) => outcome === undefined);
}

export function isRunning({ outcome }: HookOutcome): boolean {
  return outcome === "running";
}
