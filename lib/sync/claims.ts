import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { type ResourceRef, resourceKey } from "../model/resource.ts";
import type { ApplicationState } from "../model/sync.ts";
import { branchesOf, sharesSource } from "../plan/affected.ts";
import { findProject } from "../projects/find.ts";
import { objectRefusal } from "../projects/limits.ts";
import type { Stores } from "../store/store.ts";
import { statedDefinition } from "./plan/planned-state.ts";
import { projectOf, projectsOf } from "./projects.ts";
import { type WantedState, wantedKeys } from "./wanted-keys.ts";

/** Who else wants an object, or may want it. */
export interface Claims {
  /** Names of applications that want the object that leaves and may not have applied it yet. */
  readonly wanting: (leaving: Leaving) => readonly string[];
  /** The same of those whose newest state waits for leave: that may be long. */
  readonly pending: (leaving: Leaving) => readonly string[];
  /** Names of applications that may want it: their newest commit cannot be rendered. The one that it leaves may be one of them. */
  readonly unrendered: (leaving: Leaving) => readonly string[];
  /** Branches that this one reads and whose newest commit is not planned to its end: others of them may want what leaves it. */
  readonly unplanned: (application: string) => readonly string[];
}

/** An object that left the desired state of an application. */
export interface Leaving {
  readonly application: string;
  readonly ref: ResourceRef;
}

export interface ClaimsLook {
  readonly cluster: string;
  readonly reader: ClusterReader;
  /** Names of the applications that objects left. */
  readonly leavers: readonly string[];
}

/**
 * What the applications of a cluster want whose newest desired state has not been synced yet. An object that moves from one
 * application to another keeps the old one's label until the new one applied it, and a prune by that label would delete what
 * was only moved:
 *
 *     plan        shop wants no settings       billing wants settings        (saved before any run begins)
 *     run of shop        ... reads claims: billing is not synced, wants settings -> waits
 *     run of billing     ... applies settings: the label says billing, the uid stays; its row says Succeeded
 *     run of shop        ... reads claims: none; reads live: the label says billing -> lets it go without a delete
 *
 * So claims are read before the live objects: who is synced by then has set its label, and the live objects show it. The
 * snapshots are what is asked, and not inventories, since a run that has not begun has saved none. The application itself is
 * among those asked: its next desired state may have an object again that this one has not.
 *
 * An application whose newest commit cannot be rendered wants what it wanted before, as far as snapshots tell; the commit may
 * have moved an object to it all the same. So while it fails, nothing is deleted that leaves an application beside it:
 *
 *     plan        shop wants no settings       billing cannot be rendered    (its folder has settings, nobody sees it)
 *     run of shop        ... billing has a planError -> settings stays, the row names billing
 *     plan        billing is rendered, and wants settings -> as above; or does not -> the sweep has shop pruned
 *
 * Between projects a claim counts for less, or one team could keep another from ever deleting anything: an application of another
 * project claims nothing while its own refuses it, and never what its project does not allow.
 *
 * The same while a plan is under way or was cut off, as when billing's files could not be fetched: its branch has no head then.
 */
export async function readClaims(
  { stores }: { readonly stores: Pick<Stores, "applications" | "configuration" | "heads" | "snapshots"> },
  { cluster, reader, leavers }: ClaimsLook,
): Promise<Claims> {
  // Before the states: what is planned to its end by then stands in them.
  const unplanned = new Map(await mapConcurrently(leavers, { limit: 16, work: unplannedOf }));
  const [all, stored] = await Promise.all([stores.applications.list(), stores.configuration.load()]);
  const states = all.filter(({ definition }) => definition.cluster === cluster);
  const known = new Map(states.map((state) => [state.application, state]));
  const projects = projectsOf(stored?.configuration);
  const unsynced = states.filter(isUnsynced).map(({ application, definition: { namespace }, desired }) => {
    return { application, namespace, snapshot: desired?.snapshot ?? "" };
  });
  const held = states.flatMap((state) => {
    const { application, pending } = state;
    return pending ? [{ application, namespace: statedDefinition(state).namespace, snapshot: pending.snapshot }] : [];
  });
  const [wanting, pending] = await Promise.all([namesByKey(unsynced), namesByKey(held)]);
  return {
    wanting: (leaving) => (wanting.get(resourceKey(leaving.ref)) ?? []).filter((name) => mayClaim(name, leaving)),
    pending: (leaving) => (pending.get(resourceKey(leaving.ref)) ?? []).filter((name) => mayClaim(name, leaving)),
    unrendered: (leaving) => {
      const leaver = known.get(leaving.application);
      const names = leaver ? states.filter((state) => mayWant(state, leaver)).map(({ application }) => application) : [];
      return names.filter((name) => mayClaim(name, leaving));
    },
    unplanned: (name) => unplanned.get(name) ?? [],
  };

  /** Whether what an application says of an object counts: always within a project. */
  function mayClaim(name: string, { application, ref }: Leaving): boolean {
    const [claimant, leaver] = [known.get(name), known.get(application)];
    if (claimant === undefined || leaver === undefined || !areApart(claimant, leaver)) return true;
    const project = findProject({ projects }, projectOf(statedDefinition(claimant)));
    if (claimant.refused === true || project === undefined) return false;
    return objectRefusal(project, { cluster, ref, namespaced: ref.namespace !== "" }) === undefined;
  }

  async function unplannedOf(application: string) {
    const state = await stores.applications.get(application);
    const branches = branchesOf(state === undefined ? [] : [state.definition]).values();
    const heads = await mapConcurrently([...branches], {
      limit: 8,
      work: async ({ repository, branch }) => ({
        at: `${repository} ${branch}`,
        commit: await stores.heads.get(repository, branch),
      }),
    });
    return [application, heads.flatMap(({ at, commit }) => (commit === "" ? [at] : []))] as const;
  }

  async function namesByKey(claimants: readonly WantedState[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = new Map<string, string[]>();
    for (const { application, keys } of await mapConcurrently(claimants, { limit: 8, work: wantedBy })) {
      for (const key of keys) names.set(key, [...(names.get(key) ?? []), application]);
    }
    return names;
  }

  async function wantedBy(wanted: WantedState) {
    const keys = await wantedKeys(wanted, { snapshots: stores.snapshots, reader });
    return { application: wanted.application, keys };
  }
}

/** True for applications of two projects, as they are stated. */
export function areApart(one: ApplicationState, other: ApplicationState): boolean {
  return projectOf(statedDefinition(one)) !== projectOf(statedDefinition(other));
}

/** True once it is known what an application wants, and that it has it: nothing is kept for it any more. */
export function isSettled(state: ApplicationState): boolean {
  const isKnown = state.planError === "" && (state.removed || state.pending === undefined);
  return isKnown && !isUnsynced(state);
}

function isUnsynced({ desired, lastSync }: ApplicationState): boolean {
  if (desired === undefined || desired.snapshot === "") return false;
  return lastSync?.generation !== desired.generation || lastSync.phase !== "Succeeded";
}

/**
 * True when the newest commit of an application may have what leaves another, or left itself before, and nobody knows, since it
 * cannot be rendered. A plan that fails leaves the old definition in the row, so the commit alone may tell that it reads the
 * same branch by now.
 */
function mayWant(state: ApplicationState, { definition, desired }: ApplicationState): boolean {
  if (state.planError === "") return false;
  const isSameCommit = state.plannedRevision !== "" && state.plannedRevision === desired?.revision;
  return isSameCommit || [state.definition, statedDefinition(state)].some((reads) => sharesSource(reads, definition));
}
