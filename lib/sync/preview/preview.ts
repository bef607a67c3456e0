import { listLive } from "../../apply/live.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import type { CallOptions } from "../../model/call.ts";
import type { PlannedChange, SyncPreview } from "../../model/plan.ts";
import { gvkOf, type ResourceRef, resourceKey } from "../../model/resource.ts";
import { isSuspect } from "../../ownership/suspect.ts";
import { markEntries, withPlaceholders } from "../../plan/inventory-marks.ts";
import { type HashedChange, planHash, pruneDigest } from "../../plan/plan-hash.ts";
import { planSync } from "../../plan/plan-sync.ts";
import { type Steps, syncSteps } from "../../plan/steps.ts";
import type { Preview } from "../../queue/preview-answer.ts";
import type { Stores } from "../../store/store.ts";
import { whyNotApprovable } from "../actions/action-rules.ts";
import { ownNamespace, placesOf, type StepObject, stepObjects } from "../batch/desired-steps.ts";
import { type Claims, readClaims } from "../claims.ts";
import { projectOf } from "../projects.ts";
import { createSharedObjects } from "../shared-objects.ts";
import { withinLimits } from "./preview-limits.ts";
import { type Previewed, previewObjects } from "./preview-objects.ts";
import { type PreviewedPrune, previewPrune } from "./preview-prune.ts";
import { createPreviewTarget, type PreviewTarget, type PreviewTargetDeps } from "./preview-target.ts";

export type Previewer = Preview;

export interface PreviewDeps extends PreviewTargetDeps {
  readonly stores: PreviewTargetDeps["stores"] & Pick<Stores, "heads" | "inventories">;
}

/**
 * What a sync would change now: asked of the API server by dry runs, so admission and defaults are in it, and nothing is
 * written to the cluster. Secret values are masked before they come here.
 */
export function createPreview(deps: PreviewDeps): Previewer {
  const { stores, clusters, log } = deps;
  const findTarget = createPreviewTarget(deps);

  return async (request, options = {}) => {
    const target = await findTarget(request, options);
    const { name: application, cluster } = target.definition;
    const reader = await clusters.reader(cluster, { ...options, project: projectOf(target.definition) });
    const looked = await look(target, reader, options);
    const { revision, snapshot } = target;
    const planned = { application, cluster, revision, snapshot };
    const waits = request.revision === undefined && needsApproval(target, looked.blocked);
    log.info("preview.done", { application, revision, changes: looked.changes.length, unchanged: looked.unchanged });
    return {
      ...planned,
      hash: planHash({ ...planned, changes: looked.hashed }),
      prune: pruneDigest(looked.deletes),
      changes: looked.changes,
      unchanged: looked.unchanged,
      blocked: looked.blocked,
      ...(waits ? { needsApproval: true } : {}),
      warnings: [...target.warnings, ...looked.warnings],
    };
  };

  async function look(target: PreviewTarget, reader: ClusterReader, options: CallOptions): Promise<Looked> {
    const { definition, state } = target;
    const { name: application, cluster, sync, ignoreDifferences } = definition;
    const all = await desiredOf(target, reader, options);
    const isFirst = state?.lastHealthy === undefined;
    const steps = syncSteps(all, { isFirst, withHooks: true });
    const places = placesOf(all, { steps, isFirst, run: "" });
    const known = markEntries((await stores.inventories.load(application, options))?.entries ?? [], places);
    const kinds = [...all.map(({ manifest }) => gvkOf(manifest)), ...known.map(({ ref }) => ref)];
    const claims = known.some(({ leaving }) => leaving)
      ? await readClaims(deps, { cluster, reader, leavers: [application] })
      : noClaims;
    const { live, forbidden } = await listLive({ reader, kinds, applications: [application] }, options);
    const ordinary = steps.sync.flatMap(({ objects }) => objects);
    const sound = ordinary.filter(({ problem }) => problem === undefined);
    const plan = planSync({ objects: sound, inventory: known, live, isSuspect });
    const refusals = createSharedObjects({ stores, reader });
    const previewed = await previewObjects(
      { application, reader, conflicts: sync.conflicts, ignoreDifferences, objects: plan.apply, refusals },
      options,
    );
    // The guard's budget is a share of what the application owns once the sync has applied.
    const applied = [...plan.apply.map(({ object }) => object), ...steps.sync.flatMap(({ hooks }) => hooks)];
    const entries = withPlaceholders(known, { refs: applied.map(({ ref }) => ref), places });
    const approved = state?.approval?.revision === target.revision ? state.approval.prune : "";
    const prune = await previewPrune({ target, reader, entries, claims, approved }, options);
    return {
      ...summed({ steps, previewed, prune, unchanged: plan.unchanged.length }),
      warnings: [...steps.problems, ...[...previewed.values()].flatMap(({ notes }) => notes), ...forbidden.values()],
    };
  }

  async function desiredOf(
    { definition, removed, objects }: PreviewTarget,
    reader: ClusterReader,
    options: CallOptions,
  ): Promise<readonly StepObject[]> {
    const { name: application, namespace } = definition;
    const wanted = [...ownNamespace({ target: definition, removed }, objects), ...objects];
    return stepObjects({ application, namespace, objects: wanted, reader, digest: stores.digest }, options);
  }
}

interface Looked extends Pick<SyncPreview, "changes" | "unchanged" | "blocked" | "warnings"> {
  readonly deletes: PreviewedPrune["deletes"];
  readonly hashed: readonly HashedChange[];
}

const noClaims: Claims = { wanting: () => [], pending: () => [], unrendered: () => [], unplanned: () => [] };

/** Everything in the order in which a sync does it. */
function summed({
  steps,
  previewed,
  prune,
  unchanged,
}: {
  readonly steps: Steps<StepObject>;
  readonly previewed: ReadonlyMap<string, Previewed>;
  readonly prune: PreviewedPrune;
  readonly unchanged: number;
}): Omit<Looked, "warnings"> {
  const applied = steps.sync.flatMap(({ phase, objects, hooks }) => [
    ...objects.flatMap(({ ref, problem }) => {
      if (problem !== undefined) return [plannedOf("fail", ref, problem.error)];
      return previewed.get(resourceKey(ref))?.change ?? [];
    }),
    ...hooks.map(({ ref }) => plannedOf("hook", ref, phase)),
  ]);
  const onFailure = steps.failure.flatMap(({ hooks }) =>
    hooks.map(({ ref }) => plannedOf("hook", ref, "SyncFail: only if the sync fails")),
  );
  const changes = [...applied, ...prune.changes, ...onFailure];
  const doomed = new Map(prune.deletes.map(({ ref, uid }) => [resourceKey(ref), uid]));
  const hashed = changes.map(({ action, ref }) => {
    const key = resourceKey(ref);
    return { action, ref, uid: (action === "delete" ? doomed.get(key) : previewed.get(key)?.uid) ?? "" };
  });
  const same = [...previewed.values()].filter(({ change }) => change === undefined).length;
  return { changes: withinLimits(changes), hashed, deletes: prune.deletes, unchanged: unchanged + same, blocked: prune.blocked };
}

function plannedOf(action: PlannedChange["action"], ref: ResourceRef, reason: string): PlannedChange {
  return { action, ref, fields: [], reason };
}

function needsApproval({ state }: PreviewTarget, blocked: string): boolean {
  if (state === undefined || whyNotApprovable(state) !== undefined) return false;
  return state.pending !== undefined || blocked !== "";
}
