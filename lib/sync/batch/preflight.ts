import type { LiveObjects } from "../../apply/live.ts";
import { missingRights, type Right } from "../../apply/preflight.ts";
import type { DesiredObject } from "../../apply/prepare.ts";
import type { ClusterWriter } from "../../cluster/cluster.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { isSuspect } from "../../ownership/suspect.ts";
import { planSync, type SyncPlan } from "../../plan/plan-sync.ts";
import { pruneGuard } from "../../plan/prune-guard.ts";
import { findProject } from "../../projects/find.ts";
import { objectRefusal } from "../../projects/limits.ts";
import { projectOf, projectsOf } from "../projects.ts";
import type { Way } from "./desired-steps.ts";
import type { DriftRules } from "./drift-rules.ts";
import type { Work } from "./progress.ts";
import type { SyncDeps } from "./sync-deps.ts";

interface Under {
  readonly writer: ClusterWriter;
  readonly batch: SyncBatch;
}

export interface BeforeWrites extends Under {
  readonly work: Work;
  readonly all: Way["all"];
  readonly entries: readonly InventoryEntry[];
  readonly live: LiveObjects;
  readonly rules: Pick<DriftRules, "toApply">;
}

/** Asks whether a project's own identity may do all that a sync is about to do; returns what is missing, a line each. */
export function createPreflight({ stores }: Pick<SyncDeps, "stores">) {
  return {
    /** Of all steps, asked before the first: a sync that cannot come to its end shall change nothing. */
    async beforeWrites({ work, writer, batch, ...request }: BeforeWrites): Promise<readonly string[]> {
      const isFirst = work.path === "sync" && work.step === 0 && work.again === undefined;
      if (!writer.identityOfProject || !isFirst) return [];
      const missing = await ask(rightsFor({ work, ...request }), { writer, batch });
      return missing.map((line) => `nothing was written: ${line}`);
    },

    /** Rights may have gone since the sync began, and what leaves may be more by now. */
    async beforePrune(entries: readonly InventoryEntry[], under: Under): Promise<readonly string[]> {
      if (!under.writer.identityOfProject) return [];
      const missing = await ask(
        entries.map(({ ref }) => ({ verb: "delete", ref })),
        under,
      );
      return missing.map((line) => `nothing was pruned: ${line}`);
    },
  };

  /** What the project itself does not allow fails by itself, and nobody should be told to grant it. */
  async function ask(rights: readonly Right[], { writer, batch }: Under): Promise<readonly string[]> {
    if (rights.length === 0) return [];
    const { cluster } = batch;
    const project = findProject({ projects: projectsOf((await stores.configuration.load())?.configuration) }, projectOf(batch));
    const isAllowed = ({ ref }: Right): boolean =>
      project !== undefined && objectRefusal(project, { cluster, ref, namespaced: ref.namespace !== "" }) === undefined;
    return missingRights({ writer, project: projectOf(batch), rights: rights.filter(isAllowed) });
  }
}

/** What a sync is going to write and delete in all its steps, as far as it is known before the first. */
function rightsFor({ work, all, entries, live, rules }: Omit<BeforeWrites, keyof Under>): readonly Right[] {
  const objects = all.objects.filter(({ problem }) => problem === undefined);
  const plan = planSync({ objects, inventory: entries, live, isSuspect });
  const hooks = all.hooks.filter(({ problem }) => problem === undefined);
  return [
    ...rules.toApply(plan, live).flatMap(writesOf),
    ...hooks.flatMap((object) => writesOf({ object, reason: "new" })),
    ...deletesOf(entries, { work, live }),
  ];
}

/** A server-side apply of what is not there takes both. */
function writesOf({ object: { ref }, reason }: SyncPlan<DesiredObject>["apply"][number]): readonly Right[] {
  const patch: Right = { verb: "patch", ref };
  return reason === "new" || reason === "missing" ? [{ verb: "create", ref }, patch] : [patch];
}

function deletesOf(entries: readonly InventoryEntry[], { work, live }: Pick<BeforeWrites, "work" | "live">): readonly Right[] {
  const { name: application, sync: policy } = work.target;
  const leaving = entries.filter((entry) => entry.leaving === true);
  const { removed, approvedPrune: approved } = work;
  const guard = pruneGuard({ leaving, inventoryCount: entries.length, policy, removed, application, approved, live });
  return guard.prune.map(({ ref }) => ({ verb: "delete", ref }));
}
