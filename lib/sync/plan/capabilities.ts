import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { ClusterCapabilities } from "../../model/application-source.ts";
import { type CallOptions, signalWithin } from "../../model/call.ts";
import { capabilitiesDigest } from "../../plan/affected.ts";
import type { Stores } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";

/** Asks a cluster what it can do, now. */
export type AskCapabilities = (cluster: string, options: CallOptions) => Promise<ClusterCapabilities>;

export interface CapabilitiesDeps {
  readonly stores: Pick<Stores, "capabilities">;
  /** Without it what sweeps have kept is taken. */
  readonly capabilities?: AskCapabilities | undefined;
  readonly log: Log;
}

/** A cluster that answers at all answers this much sooner. */
const longestAnswerMs = 10_000;

/**
 * What clusters can do, each asked once; one that is away is taken as it was last, so that it holds up neither its own
 * applications nor those of other clusters that live on the same branch.
 */
export function openCapabilities(
  { stores, capabilities, log }: CapabilitiesDeps,
  options: CallOptions,
): (cluster: string) => Promise<ClusterCapabilities> {
  const answers = new Map<string, Promise<ClusterCapabilities>>();

  const ask = async (cluster: string): Promise<ClusterCapabilities> => {
    const known = await stores.capabilities.load(cluster, options);
    if (capabilities === undefined) return known ?? notYetKnown(cluster);
    try {
      const now = await capabilities(cluster, { signal: signalWithin(longestAnswerMs, options) });
      const isNew = known === undefined || capabilitiesDigest(known) !== capabilitiesDigest(now);
      if (isNew) await stores.capabilities.save(cluster, now, options);
      return now;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (known === undefined || isDriftlessError(error, "store")) throw error;
      log.warn("plan.cluster-away", { cluster, error: messageOf(error) });
      return known;
    }
  };

  return (cluster) => {
    const answer = answers.get(cluster) ?? ask(cluster);
    answers.set(cluster, answer);
    return answer;
  };
}

function notYetKnown(cluster: string): never {
  const advice = "the next sweep asks it, and then this is planned again";
  throw new DriftlessError("cluster", `what cluster ${cluster} can do is not known yet, and plans do not reach it: ${advice}`, {
    retryable: true,
  });
}
