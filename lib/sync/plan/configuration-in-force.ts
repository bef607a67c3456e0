import { DriftlessError } from "../../errors.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { RevisionMessage } from "../../model/delivery.ts";
import { branchKey } from "../../plan/affected.ts";
import { checkRepositoryId } from "../../source/repository-binding.ts";
import type { PlanIndex, StoredConfiguration, Stores } from "../../store/store.ts";
import { configurationBranches, holdsConfiguration } from "./configuration-files.ts";
import { createReadConfiguration, isEqual, type NewestConfiguration, type ReadConfigurationDeps } from "./read-configuration.ts";

export interface ConfigurationInForceDeps extends ReadConfigurationDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "heads" | "leases" | "repositories">;
}

/** What a push is planned by. */
export interface InForce extends Partial<Pick<NewestConfiguration, "interrupted">> {
  readonly configuration: Configuration;
  /** See `StoredConfiguration`. */
  readonly number: number;
  /** Whether every application of it was looked at since it came into force. */
  readonly settled: boolean;
  /** Whether the configuration is read from the pushed branch. */
  readonly mayChange: boolean;
  /** Whether the pushed repository is known to be the one that its name meant before. */
  readonly isBound: boolean;
  readonly index: PlanIndex | undefined;
  readonly problems: NewestConfiguration["problems"];
  readonly looked: NewestConfiguration["looked"];
}

export type PlanByConfiguration = (inForce: InForce, options: CallOptions) => Promise<void>;

/** No application can have this name. */
const lease = "#configuration";
/** Longer than a plan can take: the function is ended after 120. */
const leaseSeconds = 130;
/** Until the message of a plan that met another one comes again: its ten tries outlast the lease of a plan that was killed. */
const waitSeconds = 15;

interface Known {
  readonly stored: StoredConfiguration | undefined;
  readonly problem: string;
  readonly settledNumber: number;
  readonly index: PlanIndex | undefined;
}

/** What was found before the lease was taken: it counts as long as nobody wrote since. */
interface FirstLook {
  readonly plan: PlanByConfiguration;
  readonly known: Known;
  readonly newest: NewestConfiguration;
}

/**
 * Has a push planned by the configuration in force, which is read before that where the push concerns it. Pushes to several
 * branches may change it, and what one plan takes for gone another may just have found; so a change is read, planned and settled by
 * one plan at a time:
 *
 *     push to team a           push to team b              row "configuration"
 *       | look: it changed       |                            7
 *       | lease                  | look: it changed
 *       | write ------------------------------------------->  8
 *       | plan all               | lease: held, so the message comes again
 *       | settle 8, release      |
 *                                | look, lease, read again -> 9, with what a changed
 *
 * A push that changes nothing takes no lease. Throws what is wrong with the platform's own file when nothing can be planned.
 */
export function createConfigurationInForce(
  deps: ConfigurationInForceDeps,
): (message: RevisionMessage, plan: PlanByConfiguration, options: CallOptions) => Promise<void> {
  const { stores, from } = deps;
  const read = createReadConfiguration(deps);

  return async (message, plan, options) => {
    const isPlatform = holdsConfiguration(from, message);
    if (isPlatform) await checkRepositoryId(stores.repositories, message, options);
    const known = await load(message, options);
    const { stored } = known;
    if (stored !== undefined && !isReadFrom(message, stored)) return plan(unread(stored, known), options);
    // Repositories that nobody uses are never bound.
    if (!isPlatform && stored !== undefined) await checkRepositoryId(stores.repositories, message, options);
    const newest = await read({ pushed: message, ...known }, options);
    if (!newest.isNew && newest.failure !== undefined) throw newest.failure;
    if (!newest.isNew && newest.stored?.number === known.settledNumber) return plan(found(message, newest, known), options);
    await alone(message, () => changed(message, { plan, known, newest }, options), options);
  };

  async function changed(message: RevisionMessage, first: FirstLook, options: CallOptions): Promise<void> {
    const { plan } = first;
    const known = await load(message, options);
    const isStill = known.problem === first.known.problem && isSameRow(known.stored, first.known.stored);
    const newest = isStill ? first.newest : await read({ pushed: message, ...known }, options);
    const { stored, problem, failure } = newest;
    if (stored !== undefined && !isSameRow(stored, known.stored)) await stores.configuration.save(stored, options);
    if (problem !== known.problem) await stores.configuration.saveProblem(problem, options);
    if (failure !== undefined) throw failure;
    await plan(found(message, newest, known), options);
  }

  /** What the table knows: one request. */
  async function load({ repository, branch }: RevisionMessage, options: CallOptions): Promise<Known> {
    const [stored, problem, settledNumber, index] = await Promise.all([
      stores.configuration.load(options),
      stores.configuration.loadProblem(options),
      stores.configuration.loadSettled(options),
      stores.heads.index(repository, branch, options),
    ]);
    return { stored, problem, settledNumber, index };
  }

  function isReadFrom({ repository, branch }: RevisionMessage, stored: StoredConfiguration | undefined): boolean {
    return configurationBranches(from, stored).has(branchKey(repository, branch));
  }

  function unread({ configuration, number }: StoredConfiguration, { settledNumber, index }: Known): InForce {
    const settled = settledNumber === number;
    return { configuration, number, settled, mayChange: false, isBound: false, index, problems: [], looked: new Map() };
  }

  function found(message: RevisionMessage, newest: NewestConfiguration, known: Known): InForce {
    const { stored, problems, looked, interrupted } = newest;
    // Without one `failure` is there.
    const inForce = unread(stored as StoredConfiguration, known);
    const isBound = known.stored !== undefined || holdsConfiguration(from, message);
    const told = { mayChange: isReadFrom(message, stored), isBound, problems, looked };
    return { ...inForce, ...told, ...(interrupted === undefined ? {} : { interrupted }) };
  }

  function isSameRow(one: StoredConfiguration | undefined, other: StoredConfiguration | undefined): boolean {
    return one === other || (one !== undefined && other !== undefined && isEqual(one, other));
  }

  async function alone(message: RevisionMessage, work: () => Promise<void>, options: CallOptions): Promise<void> {
    const { correlationId, repository, branch } = message;
    const holder = `${correlationId} ${branchKey(repository, branch)}`;
    const request = { application: lease, holder, generation: 0, seconds: leaseSeconds };
    const taken = await stores.leases.acquire({ ...request, ...options });
    if (!taken.acquired) {
      throw new DriftlessError("lease", "another push changes the configuration at this moment: this one is planned after it", {
        retryable: true,
        facts: { retryAfterSeconds: waitSeconds },
      });
    }
    try {
      await work();
    } finally {
      await stores.leases.release(taken.lease, options);
    }
  }
}
