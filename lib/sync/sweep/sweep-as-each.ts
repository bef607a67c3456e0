import type { Clusters } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { type DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { canonicalJson, type JsonValue } from "../../model/json.ts";
import { resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { ClusterSweep } from "./sweep-cluster.ts";
import { createTellUnknown } from "./sweep-health.ts";
import { groupByIdentity, type IdentityGroup, unknownProject } from "./sweep-identities.ts";
import { createJudge, type JudgeDeps } from "./sweep-judge.ts";
import { createSweepPart, type Part, type PartLook, unreadOf } from "./sweep-part.ts";
import type { Owner } from "./sweep-tracking.ts";

export interface LookAsEachDeps extends JudgeDeps {
  readonly stores: JudgeDeps["stores"] & Pick<Stores, "inventories">;
  readonly clusters: Pick<Clusters, "reader">;
}

/** What the identities of a cluster's applications found there. */
export interface Seen {
  readonly parts: readonly Part[];
  readonly failures: readonly Failure[];
  /** Applications of projects that the configuration does not state, by project. */
  readonly unknown: ReadonlyMap<string, readonly ApplicationState[]>;
  /** What could not be looked at, for the report. */
  readonly errors: readonly string[];
  /** False where an application under prevention could not be looked at. */
  readonly isComplete: boolean;
}

/** An identity as which nothing could be looked at. */
interface Failure {
  readonly group: IdentityGroup;
  readonly error: DriftlessError;
}

export interface LookAround extends Pick<PartLook, "along"> {
  /** RFC 3339. */
  readonly now: string;
}

/** Identities that look at one cluster at once. */
const atOnce = 4;

/** Looks at a cluster as each identity of its applications: Driftless' own for all projects that have none, and each other. */
export function createLookAsEach(deps: LookAsEachDeps) {
  const { stores, log } = deps;
  const sweepPart = createSweepPart({ clusters: deps.clusters, judge: createJudge(deps) });
  const tellUnknown = createTellUnknown(deps);

  return { look, tell };

  async function look(sweep: ClusterSweep, { now, along }: LookAround, options: CallOptions): Promise<Seen> {
    const { states, projects = [], healthCheckExprs = [] } = sweep;
    const { groups, unknown } = groupByIdentity(states, projects);
    const about = {
      sweep: sweep.id,
      cluster: sweep.cluster,
      now,
      along,
      rules: healthCheckExprs.length === 0 ? "" : canonicalJson(healthCheckExprs as unknown as JsonValue),
      isWhole: sweep.only === undefined,
      projects,
      owners: ownersOnce(sweep, { isAlone: groups.length < 2 && unknown.size === 0 }, options),
    };
    const isAlone = groups.length === 1;
    const work = (group: IdentityGroup) => sweepGroup({ ...about, group }, { isAlone }, options);
    const seen = await mapConcurrently(groups, { limit: atOnce, work });
    const parts = seen.filter((part) => "verdicts" in part);
    const failures = seen.filter((part) => "error" in part);
    const isPrevented = ({ definition }: ApplicationState): boolean => definition.drift === "prevent";
    const errors = [
      ...[...unknown.keys()].map(unknownProject),
      ...failures.map(({ error, group }) => inProject(messageOf(error), group)),
      ...parts.flatMap(({ refused }) => [...refused.values()]),
    ];
    return { parts, failures, unknown, errors, isComplete: !failures.some(({ group }) => group.states.some(isPrevented)) };
  }

  /** What stops one identity stops no other; where there is one alone, it stops the sweep. */
  async function sweepGroup(
    look: PartLook,
    { isAlone }: { readonly isAlone: boolean },
    options: CallOptions,
  ): Promise<Part | Failure> {
    const { group, cluster } = look;
    try {
      return await sweepPart(look, options);
    } catch (error) {
      const isTold = isDriftlessError(error, "cluster", "apply", "refused", "not-found");
      if (!isTold || (isAlone && group.project === "")) throw error;
      log.error("sweep.failed", { sweep: look.sweep, cluster, project: group.project, error: messageOf(error) });
      return { group, error };
    }
  }

  /** Says in the rows of applications why nothing is known of them now; returns those of which it was not said. */
  async function tell(
    { parts, failures, unknown }: Seen,
    { id }: Pick<ClusterSweep, "id">,
    options: CallOptions,
  ): Promise<readonly string[]> {
    const tenants = parts.filter(({ project }) => project !== "");
    const unread = [
      ...[...unknown].flatMap(([project, states]) => states.map((state) => ({ state, reason: unknownProject(project) }))),
      ...failures.flatMap(({ error, group }) =>
        error.retryable ? [] : group.states.map((state) => ({ state, reason: messageOf(error) })),
      ),
      ...tenants.flatMap(unreadOf),
    ];
    const told = await mapConcurrently(unread, { limit: 16, work: (one) => tellUnknown(one, { id }, options) });
    return unread.flatMap(({ state }, at) => (told[at] === true ? [state.application] : []));
  }

  /** Every owner of the cluster, read when the first asks. */
  function ownersOnce(sweep: ClusterSweep, { isAlone }: { readonly isAlone: boolean }, options: CallOptions): PartLook["owners"] {
    let owners: ReturnType<PartLook["owners"]> | undefined;
    const load = async () => {
      const all = await mapConcurrently(sweep.states, { limit: 32, work: (state) => loadOwner(state, sweep, options) });
      const names = new Set(sweep.states.map(({ application }) => application));
      const keys = new Set(isAlone ? [] : all.flatMap(({ entries }) => entries.map(({ ref }) => resourceKey(ref))));
      return { all, known: { isApplication: (name: string) => names.has(name), isOwned: (key: string) => keys.has(key) } };
    };
    return () => (owners ??= load());
  }

  async function loadOwner(state: ApplicationState, { only }: ClusterSweep, options: CallOptions): Promise<Owner> {
    const entries = (await stores.inventories.load(state.application, options))?.entries ?? [];
    if (only === undefined) return { state, entries };
    const wanted = new Set((only.get(state.application) ?? []).map(resourceKey));
    return { state, entries: entries.filter(({ ref }) => wanted.has(resourceKey(ref))) };
  }
}

function inProject(text: string, { project }: IdentityGroup): string {
  return project === "" ? text : `project ${project}: ${text}`;
}
