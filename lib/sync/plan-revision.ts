import { createHash } from "node:crypto";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { Application, Configuration } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { RevisionMessage } from "../model/delivery.ts";
import { repositoryKey } from "../model/repository.ts";
import type { ApplicationState, SyncBatch, SyncTrigger } from "../model/sync.ts";
import type { SourceTree } from "../model/tree.ts";
import { definitionText, selectApplications } from "../plan/affected.ts";
import type { SyncStarter } from "../queue/queue.ts";
import type { Sources } from "../source/source.ts";
import type { Stores } from "../store/store.ts";
import { timestamp } from "../telemetry/clock.ts";
import { changeState } from "./application-state.ts";
import { createPlanApplication, type PlanApplicationDeps, type PlanOutcome } from "./plan-application.ts";
import {
  type ConfigurationSource,
  createReadConfiguration,
  holdsConfiguration,
  type NewestConfiguration,
} from "./read-configuration.ts";

export interface PlanRevisionDeps extends PlanApplicationDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "deliveries" | "heads" | "snapshots" | "syncs" | "digest">;
  readonly sources: Sources;
  readonly starter: SyncStarter;
  readonly configuration: ConfigurationSource;
}

/** Applications that live on one branch of one repository. */
interface Branch {
  readonly repository: string;
  readonly branch: string;
  readonly applications: readonly Application[];
}

/**
 * Plans the head of a branch: reads its trees once, renders the applications whose inputs changed, and starts one run a
 * cluster for those whose desired state is new. The message is a hint; doing it twice changes nothing.
 */
export function createPlanRevision(deps: PlanRevisionDeps): (message: RevisionMessage, options?: CallOptions) => Promise<void> {
  const { stores, sources, starter, clock, log } = deps;
  const planApplication = createPlanApplication(deps);
  const readConfiguration = createReadConfiguration({ sources, store: stores.configuration, from: deps.configuration });

  return async (message, options = {}) => {
    const { correlationId } = message;
    try {
      const mayChange = holdsConfiguration(deps.configuration, message);
      const { configuration, head } = await currentConfiguration(mayChange, options);
      if (!mayChange && selectApplications(configuration, message).length === 0) {
        return await closeDelivery(message, { outcomes: [], removed: [], used: false }, options);
      }
      const states = new Map((await stores.applications.list(options)).map((state) => [state.application, state]));
      const branches = branchesToPlan({ configuration, message, states, mayChange });
      const planned = await Promise.allSettled(branches.map((branch) => planBranch(branch, { states, correlationId }, options)));
      const outcomes = planned.flatMap((branch) => (branch.status === "fulfilled" ? branch.value : []));
      const removed = await planRemoved({ configuration, states, correlationId }, options);
      await startRuns([...outcomes, ...removed], { correlationId }, options);
      // A repository that is away keeps no other back; the message comes again for it.
      for (const branch of planned) if (branch.status === "rejected") throw branch.reason;
      if (mayChange) await stores.heads.put(deps.configuration.repository, deps.configuration.branch, head, options);
      await closeDelivery(message, { outcomes, removed, used: branches.length > 0 }, options);
    } catch (error) {
      if (!isDriftlessError(error) || error.retryable) throw error;
      log.warn("plan.refused", { ...message, error: messageOf(error) });
      await stores.deliveries.update(correlationId, { state: "failed", reason: messageOf(error) }, options);
      const { revision } = error.facts;
      const { repository, branch } = deps.configuration;
      if (typeof revision === "string") await stores.heads.put(repository, branch, revision, options);
    }
  };

  async function currentConfiguration(mayChange: boolean, options: CallOptions): Promise<NewestConfiguration> {
    const stored = mayChange ? undefined : await stores.configuration.load(options);
    return stored === undefined ? readConfiguration(options) : { configuration: stored.configuration, head: stored.revision };
  }

  /** The pushed branch, and, after a change of the configuration, every other branch with a new or redefined application. */
  function branchesToPlan(request: {
    readonly configuration: Configuration;
    readonly message: RevisionMessage;
    readonly states: ReadonlyMap<string, ApplicationState>;
    readonly mayChange: boolean;
  }): readonly Branch[] {
    const pushed = branchKey(request.message.repository, request.message.branch);
    const isRedefined = (application: Application): boolean =>
      request.states.get(application.name)?.definitionDigest !== stores.digest(definitionText(application));
    const byBranch = Map.groupBy(request.configuration.applications, ({ repository, targetRevision }) =>
      branchKey(repository, targetRevision),
    );
    return [...byBranch].flatMap(([key, all]) => {
      const applications = key === pushed ? all : request.mayChange ? all.filter(isRedefined) : [];
      const [first] = applications;
      return first === undefined ? [] : [{ repository: first.repository, branch: first.targetRevision, applications }];
    });
  }

  async function planBranch(
    { repository, branch, applications }: Branch,
    { states, correlationId }: { readonly states: ReadonlyMap<string, ApplicationState>; readonly correlationId: string },
    options: CallOptions,
  ): Promise<readonly PlanOutcome[]> {
    const tree = await openHead({ repository, branch }, options);
    const revision = tree instanceof DriftlessError ? "" : tree.commit;
    log.info("plan.begun", { repository, branch, revision, applications: applications.length, correlationId });
    const outcomes = await mapConcurrently(applications, {
      limit: 16,
      work: (application) => planApplication({ application, state: states.get(application.name), tree, correlationId }, options),
    });
    await stores.heads.put(repository, branch, revision, options);
    return outcomes;
  }

  /** The trees at the head of a branch, or why there are none and will be none: that fails the applications that live there. */
  async function openHead(
    { repository, branch }: Pick<Branch, "repository" | "branch">,
    options: CallOptions,
  ): Promise<SourceTree | DriftlessError> {
    try {
      const source = sources.source(repository);
      const head = await source.head(branch, options);
      if (head !== undefined) return await source.open(head, options);
      return new DriftlessError("source", `branch ${branch} of ${repository} does not exist`);
    } catch (error) {
      if (!isDriftlessError(error, "source", "config") || error.retryable) throw error;
      return error;
    }
  }

  /** Applications that left the configuration: nothing is desired of them any more, and the prune guard decides. */
  async function planRemoved(
    request: {
      readonly configuration: Configuration;
      readonly states: ReadonlyMap<string, ApplicationState>;
      readonly correlationId: string;
    },
    options: CallOptions,
  ): Promise<readonly PlanOutcome[]> {
    const { configuration, states, correlationId } = request;
    const wanted = new Set(configuration.applications.map(({ name }) => name));
    const gone = [...states.values()].filter(({ application, removed }) => !wanted.has(application) && !removed);
    return mapConcurrently(gone, {
      limit: 16,
      work: async ({ application }): Promise<PlanOutcome> => {
        const state = await changeState(
          stores.applications,
          { application, change: (stored) => stored && tombstone(stored, timestamp(clock)) },
          options,
        );
        log.info("plan.removed", { application, correlationId });
        return state
          ? { outcome: "planned", application, state }
          : { outcome: "failed", application, error: "it is gone already" };
      },
    });
  }

  /** One run a cluster; also for what an earlier plan wanted and no run has begun, since a plan can be cut off before it starts one. */
  async function startRuns(
    outcomes: readonly PlanOutcome[],
    { correlationId }: { readonly correlationId: string },
    options: CallOptions,
  ): Promise<void> {
    const due = outcomes.flatMap((outcome) => (outcome.outcome !== "failed" && isDue(outcome.state) ? [outcome.state] : []));
    for (const batch of batchesOf(due, { trigger: "push", correlationId })) {
      await starter.start(batch, { name: runName(batch), ...options });
      log.info("plan.started", {
        cluster: batch.cluster,
        revision: batch.revision,
        applications: batch.applications.length,
        correlationId,
      });
    }
  }

  async function closeDelivery(
    { correlationId, repository, branch }: RevisionMessage,
    {
      outcomes,
      removed,
      used,
    }: { readonly outcomes: readonly PlanOutcome[]; readonly removed: readonly PlanOutcome[]; readonly used: boolean },
    options: CallOptions,
  ): Promise<void> {
    const all = [...outcomes, ...removed];
    const applications = all.flatMap((outcome) => (outcome.outcome === "planned" ? [outcome.application] : []));
    const failures = all.flatMap((outcome) => (outcome.outcome === "failed" ? [`${outcome.application}: ${outcome.error}`] : []));
    if (failures.length > 0)
      return stores.deliveries.update(correlationId, { state: "failed", applications, reason: failures.join("\n") }, options);
    if (applications.length > 0)
      return stores.deliveries.update(correlationId, { state: "planned", applications, reason: "" }, options);
    const reason = used ? "no application reads what changed" : `no application uses ${branch} of ${repository}`;
    return stores.deliveries.update(correlationId, { state: "ignored", reason }, options);
  }
}

/** True while a desired state has had no run. */
export function isDue({ desired, lastSync }: ApplicationState): boolean {
  return desired !== undefined && desired.generation > (lastSync?.generation ?? 0);
}

/** What a run remembers of an application is up to 4 KB of a step's result, which may have 256 KB. */
const mostPerRun = 50;

/** One batch a cluster, or several where one would be too large to be remembered. */
export function batchesOf(
  states: readonly ApplicationState[],
  { trigger, correlationId }: { readonly trigger: SyncTrigger; readonly correlationId: string },
): readonly SyncBatch[] {
  const byCluster = Map.groupBy(states, ({ definition }) => definition.cluster);
  return [...byCluster].flatMap(([cluster, members]) =>
    Array.from({ length: Math.ceil(members.length / mostPerRun) }, (_, index): SyncBatch => {
      const part = members.slice(index * mostPerRun, (index + 1) * mostPerRun);
      const applications = part.map(({ application, desired }) => ({ name: application, generation: desired?.generation ?? 0 }));
      return { cluster, revision: part[0]?.desired?.revision ?? "", trigger, correlationId, applications };
    }),
  );
}

/** A name that is the same for the same work, so that starting it twice is one run: at most 64 of `[A-Za-z0-9-_]`. */
export function runName(batch: SyncBatch): string {
  const work = createHash("sha256").update(JSON.stringify(batch)).digest("hex").slice(0, 24);
  return `${batch.trigger}-${batch.revision.slice(0, 12)}-${work}`;
}

const branchKey = (repository: string, branch: string): string => `${repositoryKey(repository)}#${branch}`;

function tombstone(state: ApplicationState, plannedAt: string): ApplicationState {
  const generation = (state.desired?.generation ?? 0) + 1;
  return {
    ...state,
    removed: true,
    inputs: {},
    desired: { generation, revision: state.plannedRevision, snapshot: "", plannedAt },
  };
}
