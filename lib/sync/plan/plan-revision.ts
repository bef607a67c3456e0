import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { Application, Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { RevisionMessage } from "../../model/delivery.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { branchesOf, branchKey, readersOf } from "../../plan/affected.ts";
import { definitionText, isSameDefinition } from "../../plan/definition.ts";
import { restartGateOf } from "../../plan/gate.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import { checkRepositoryId } from "../../source/repository-binding.ts";
import type { Sources } from "../../source/source.ts";
import type { PlanIndex, Stores } from "../../store/store.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { batchesOf, isDue, runName } from "../runs.ts";
import { type AskCapabilities, openCapabilities } from "./capabilities.ts";
import { closeDelivery } from "./close-delivery.ts";
import type { ConfigurationSource } from "./configuration-files.ts";
import { createConfigurationInForce, type InForce } from "./configuration-in-force.ts";
import { openHeads } from "./heads.ts";
import { createPlanAll, type Opened, type PlannedAll } from "./plan-all.ts";
import type { PlanApplicationDeps, PlanOutcome } from "./plan-application.ts";
import { recordHeads, unchangedReaders } from "./plan-index.ts";
import { createPlanRemoved } from "./plan-removed.ts";
import { statedDefinition } from "./planned-state.ts";
import { allowedAsStated, projectDigests } from "./project-rules.ts";
import { createRecordLooked } from "./record-looked.ts";

export interface PlanRevisionDeps extends PlanApplicationDeps {
  readonly stores: PlanApplicationDeps["stores"] &
    Pick<Stores, "capabilities" | "configuration" | "deliveries" | "heads" | "leases" | "repositories">;
  readonly sources: Sources;
  /** Without it what sweeps have kept of clusters is taken. */
  readonly capabilities?: AskCapabilities | undefined;
  readonly starter: SyncStarter;
  readonly configuration: ConfigurationSource;
  readonly metrics?: Metrics;
}

type States = ReadonlyMap<string, ApplicationState>;

/** One message, and the configuration that it is planned by. */
interface PlanRun {
  readonly configuration: Configuration;
  /** The same without the applications that their projects do not allow as they are stated. */
  readonly allowed: Configuration;
  readonly number: number;
  readonly message: RevisionMessage;
  readonly correlationId: string;
}

interface Planned extends Pick<PlannedAll, "outcomes" | "interrupted"> {
  /** Whether any application reads the branch. */
  readonly used: boolean;
}

/**
 * Plans what reads the head of a branch: opens each branch once, renders the applications whose inputs changed, and starts one
 * run a cluster for those whose desired state is new. The message is a hint; doing it twice changes nothing.
 */
export function createPlanRevision(deps: PlanRevisionDeps): (message: RevisionMessage, options?: CallOptions) => Promise<void> {
  const { stores, sources, starter, log } = deps;
  const planAll = createPlanAll(deps);
  const planRemoved = createPlanRemoved(deps);
  const recordLooked = createRecordLooked(stores.heads);
  const byConfiguration = createConfigurationInForce({ sources, stores, from: deps.configuration });

  return async (message, options = {}) => {
    const { correlationId } = message;
    try {
      await byConfiguration(message, (inForce) => planBy(inForce, message, options), options);
    } catch (error) {
      if (!isDriftlessError(error) || error.retryable) throw error;
      log.warn("plan.refused", { ...message, error: messageOf(error) });
      await stores.deliveries.update(correlationId, { state: "failed", reason: messageOf(error) }, options);
      const { revision } = error.facts;
      const { repository, branch } = deps.configuration;
      if (typeof revision === "string") await stores.heads.put(repository, branch, revision, options);
    }
  };

  async function planBy(inForce: InForce, message: RevisionMessage, options: CallOptions): Promise<void> {
    const { configuration, number, settled, mayChange, isBound, index, problems } = inForce;
    const { correlationId } = message;
    if (mayChange) await pinRepositories(configuration, options);
    const allowed = { ...configuration, applications: allowedAsStated(configuration) };
    if (!mayChange && readersOf(allowed.applications, message).length === 0) {
      return await closeDelivery(stores.deliveries, { message, outcomes: [], used: false, problems: [] }, options);
    }
    // Repositories that nobody uses are never bound.
    if (!isBound) await checkRepositoryId(stores.repositories, message, options);
    const request = { configuration, allowed, number, message, correlationId };
    const { outcomes, interrupted, used } = settled
      ? await planPushed({ ...request, index }, options)
      : await planChanged({ ...request, mayChange }, options);
    // A repository that is away keeps no other back; the message comes again for it.
    if (interrupted !== undefined) throw interrupted;
    if (!settled && mayChange) await stores.configuration.saveSettled(number, options);
    if (inForce.interrupted !== undefined) throw inForce.interrupted;
    await recordLooked({ ...inForce, configuration: allowed }, message, options);
    await closeDelivery(stores.deliveries, { message, outcomes, used, problems }, options);
  }

  async function pinRepositories({ repositories }: Configuration, options: CallOptions): Promise<void> {
    await mapConcurrently(repositories, { limit: 8, work: ({ url, id }) => stores.repositories.pin(url, id, options) });
  }

  /** Of a configuration that is known: the applications of the pushed branch whose inputs are others now. */
  async function planPushed(
    request: PlanRun & { readonly index: PlanIndex | undefined },
    options: CallOptions,
  ): Promise<Planned> {
    const { allowed, message, index } = request;
    const { repository, branch } = message;
    const readers = readersOf(allowed.applications, message);
    const opened = openPlan(request, options);
    const unchanged = await unchangedReaders(index, { ...request, readers, opened }, options);
    const changed = readers.filter(({ name }) => unchanged[name] === undefined);
    if (changed.length === 0 && index !== undefined) {
      const revision = opened.heads.revision(branchKey(repository, branch));
      await stores.heads.put(repository, branch, revision, { ...options, index: index.id });
      return { outcomes: [], interrupted: undefined, used: true };
    }
    // From here on a plan that is cut off leaves neither an index nor a head behind.
    await stores.heads.put(repository, branch, "", options);
    const planned = await planAll(changed, { ...request, states: await statesOf(changed, options), opened }, options);
    await startRuns(planned.outcomes, request, options);
    await recordHeads(stores.heads, { ...request, configuration: allowed, opened, unchanged, planned }, options);
    return { ...planned, used: readers.length > 0 };
  }

  /** After a change of the configuration: also who is new, redefined or gone, on whatever branch. */
  async function planChanged(request: PlanRun & { readonly mayChange: boolean }, options: CallOptions): Promise<Planned> {
    const { configuration, allowed, message, mayChange } = request;
    const states = new Map((await stores.applications.list(options)).map((state) => [state.application, state]));
    const digestOf = projectDigests(configuration, stores.digest);
    const isRedefined = (application: Application): boolean => {
      const state = states.get(application.name);
      if (state === undefined || state.removed || !isSameDefinition(statedDefinition(state), application)) return true;
      if (state.refused === true || (state.projectDigest ?? "") !== digestOf(application)) return true;
      return state.definitionDigest !== stores.digest(definitionText(application));
    };
    const readers = new Set(readersOf(allowed.applications, message));
    const applications = configuration.applications.filter(
      (application) => readers.has(application) || (mayChange && isRedefined(application)),
    );
    const opened = openPlan(request, options);
    if (readers.size > 0) await stores.heads.put(message.repository, message.branch, "", options);
    const planned = await planAll(applications, { ...request, states, opened }, options);
    if (planned.interrupted !== undefined) await forgetHeads(applications, planned, options);
    const removed = await planRemoved({ configuration, states, correlationId: request.correlationId }, options);
    const outcomes = [...planned.outcomes, ...removed];
    await startRuns(outcomes, request, options);
    await recordHeads(stores.heads, { ...request, configuration: allowed, opened, unchanged: {}, planned }, options);
    return { ...planned, outcomes, used: applications.length > 0 };
  }

  /** What leaves others is not pruned while nobody knows what an application wants that could not be planned now. */
  async function forgetHeads(applications: readonly Application[], planned: PlannedAll, options: CallOptions): Promise<void> {
    const cutOff = applications.filter((application) => !planned.applications.includes(application));
    await mapConcurrently([...branchesOf(cutOff).values()], {
      limit: 8,
      work: ({ repository, branch }) => stores.heads.put(repository, branch, "", options),
    });
  }

  function openPlan({ correlationId }: PlanRun, options: CallOptions): Opened {
    return {
      heads: openHeads({ sources, log, correlationId }, options),
      capabilities: openCapabilities(deps, options),
    };
  }

  async function statesOf(applications: readonly Application[], options: CallOptions): Promise<States> {
    const few = applications.length <= 100;
    const known = few
      ? await mapConcurrently(applications, { limit: 16, work: ({ name }) => stores.applications.get(name, options) })
      : await stores.applications.list(options);
    return new Map(known.flatMap((state) => (state === undefined ? [] : [[state.application, state]])));
  }

  /** One run a cluster; also for what an earlier plan wanted and no run has begun, since a plan can be cut off before it starts one. */
  async function startRuns(
    outcomes: readonly PlanOutcome[],
    { correlationId }: { readonly correlationId: string },
    options: CallOptions,
  ): Promise<void> {
    const now = deps.clock.now();
    const due = outcomes.flatMap((outcome) => {
      if (outcome.outcome === "failed" || !isDue(outcome.state)) return [];
      return restartGateOf({ ...outcome.state, now }).open ? [outcome.state] : [];
    });
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
}
