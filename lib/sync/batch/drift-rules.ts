import type { LiveObjects } from "../../apply/live.ts";
import type { DesiredObject } from "../../apply/prepare.ts";
import type { DriftRow } from "../../model/drift.ts";
import { resourceKey } from "../../model/resource.ts";
import { takeAdditions } from "../../ownership/take-additions.ts";
import type { IgnoredFields } from "../../paths/ignored-fields.ts";
import { driftOptionsOf, isHealing } from "../../plan/drift-options.ts";
import { ignoredFields } from "../../plan/ignored-differences.ts";
import type { ApplyReason, SyncPlan } from "../../plan/plan-sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Target } from "./progress.ts";

/** What the policies about drift make of the writes of one run. */
export interface DriftRules {
  /** What is written of a plan: a heal writes what its policies heal, what others added to an object included. */
  readonly toApply: (plan: SyncPlan<DesiredObject>, live: LiveObjects) => SyncPlan<DesiredObject>["apply"];
  /** What is left to others of an object that is live already. */
  readonly ignored: (object: DesiredObject) => IgnoredFields | undefined;
  /** Whether what others added to an object is removed. */
  readonly strips: (object: DesiredObject) => boolean;
}

export interface DriftRulesRequest {
  readonly target: Target;
  /** True for a run that is there to put right what drifted: then fights are read, and kept out of. */
  readonly heals: boolean;
}

export async function readDriftRules(stores: Pick<Stores, "drift">, { target, heals }: DriftRulesRequest): Promise<DriftRules> {
  const fights = fightsOf(heals ? await stores.drift.open(target.name) : []);
  const optionsOf = ({ manifest }: DesiredObject) => driftOptionsOf(manifest, target);
  const fieldsOf = ({ ref }: DesiredObject) => ignoredFields(ref, target.ignoreDifferences, fights.get(resourceKey(ref)) ?? []);

  /** Another state in Git is no drift. */
  const isLeft = (object: DesiredObject, reason: ApplyReason): boolean => {
    if (reason === "new" || reason === "changed") return false;
    return !isHealing(optionsOf(object)) || (reason === "missing" && fights.get(resourceKey(object.ref))?.includes("") === true);
  };
  const hasAdditions = (object: DesiredObject, live: LiveObjects): boolean => {
    const options = optionsOf(object);
    const seen = live.get(resourceKey(object.ref));
    if (options.additions !== "drift" || !isHealing(options) || seen === undefined) return false;
    return takeAdditions(seen.metadata, { keeps: () => false, managers: fieldsOf(object)?.managers ?? new Set() }) !== undefined;
  };

  return {
    toApply({ apply, unchanged }, live) {
      if (!heals) return apply;
      const added = unchanged.filter((object) => hasAdditions(object, live));
      return [
        ...apply.filter(({ object, reason }) => !isLeft(object, reason)),
        ...added.map((object) => ({ object, reason: "suspect" as const })),
      ];
    },
    ignored: fieldsOf,
    strips: (object) => optionsOf(object).additions === "drift" && optionsOf(object).drift !== "ignore",
  };
}

/** Annotations about drift that have no meaning, a sentence each. */
export function driftProblems(objects: readonly DesiredObject[], target: Target): readonly string[] {
  return objects.flatMap(({ manifest }) => driftOptionsOf(manifest, target).problems);
}

/** Paths of fields that somebody reverts again and again, by object; "" for an object that is deleted again and again. */
function fightsOf(open: readonly DriftRow[]): ReadonlyMap<string, readonly string[]> {
  const fought = Map.groupBy(
    open.filter(({ fight }) => fight !== undefined),
    ({ ref }) => resourceKey(ref),
  );
  return new Map([...fought].map(([key, rows]) => [key, rows.map(({ field }) => field)]));
}
