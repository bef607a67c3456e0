import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Delivery } from "../../model/delivery.ts";
import { branchKey } from "../../plan/affected.ts";
import type { RevisionQueue } from "../../queue/queue.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";

export interface ReplayDeliveriesDeps {
  readonly stores: Pick<Stores, "deliveries" | "heads">;
  readonly queue: RevisionQueue;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DeliverySweep {
  readonly id: string;
  /** Branches that this sweep queued already, by `branchKey`. */
  readonly movedHeads: readonly string[];
}

/** Milliseconds after which a delivery should have been planned; twice as long after each replay. */
const patienceMs = 15 * 60_000;
/** With these a delivery is given up after some four hours, a plan's own ten tries each time included. */
const mostReplays = 3;
/** Branches queued by one sweep. */
const mostBranches = 20;
/** Older deliveries were replayed, or given up, by earlier sweeps. */
const horizonMs = 12 * 3_600_000;
const pageSize = 100;
const mostPages = 5;

/**
 * Queues the branches of deliveries that were given up again: those that never got into the queue, or whose message ended
 * among the dead letters. After a few times the delivery is failed, with what to do. Returns the ids of those replayed.
 */
export function createReplayDeliveries({
  stores: { deliveries, heads },
  queue,
  clock,
  log,
}: ReplayDeliveriesDeps): (sweep: DeliverySweep, options: CallOptions) => Promise<readonly string[]> {
  return async ({ id, movedHeads }, options) => {
    const givenUp = (await recent(options)).filter((delivery) => isGivenUp(delivery, clock.now()));
    const byBranch = Map.groupBy(givenUp, ({ repository, branch }) => branchKey(repository, branch));
    const replayed: string[] = [];
    const due = [...byBranch].filter(([key]) => !movedHeads.includes(key)).slice(0, mostBranches);
    for (const [, [newest, ...older]] of due) {
      if (newest === undefined) continue;
      try {
        if (await replay(newest, { id, ...options })) replayed.push(newest.id);
        for (const each of older) await supersede(each, newest, options);
      } catch (error) {
        if (!isDriftlessError(error)) throw error;
        log.error("sweep.replay-failed", { sweep: id, correlationId: newest.id, error: messageOf(error) });
      }
    }
    return replayed;
  };

  /** Newest first. */
  async function recent(options: CallOptions): Promise<readonly Delivery[]> {
    const oldest = new Date(clock.now().getTime() - horizonMs).toISOString();
    const found: Delivery[] = [];
    let from: string | undefined;
    for (let page = 1; page <= mostPages; page++) {
      const { items, next } = await deliveries.list({ ...options, limit: pageSize, ...(from === undefined ? {} : { from }) });
      found.push(...items.filter(({ receivedAt }) => receivedAt > oldest));
      if (next === undefined || (items.at(-1)?.receivedAt ?? "") <= oldest) break;
      from = next;
    }
    return found;
  }

  /** True when its branch was queued. */
  async function replay(delivery: Delivery, { id: sweep, ...options }: CallOptions & { readonly id: string }): Promise<boolean> {
    const { id, repository, branch, after, state } = delivery;
    const onlyWhile = { ...options, standing: state };
    if (after !== "" && (await heads.get(repository, branch, options)) === after) {
      const reason = "its commit was planned without it, by a sweep or a later delivery";
      await deliveries.update(id, { state: "planned", reason }, onlyWhile);
      return false;
    }
    const times = (delivery.replayed?.times ?? 0) + 1;
    if (times > mostReplays) {
      await deliveries.update(id, { state: "failed", reason: givenUpReason(delivery) }, onlyWhile);
      log.error("sweep.delivery-failed", { sweep, correlationId: id, repository, branch, replays: mostReplays });
      return false;
    }
    const replayed = { times, at: clock.now().toISOString() };
    // Counted before it is sent, so that no failure makes it endless.
    await deliveries.update(id, state === "failed" ? { state: "received", reason: "", replayed } : { replayed }, onlyWhile);
    const message = { repository, branch, after, correlationId: id };
    await queue.send(message, { ...options, deduplicationId: `${id}/replay-${times}` });
    log.warn("sweep.delivery-replayed", { sweep, correlationId: id, repository, branch, times });
    await deliveries.update(id, { state: "queued" }, options);
    return true;
  }

  async function supersede({ id, state }: Delivery, by: Delivery, options: CallOptions): Promise<void> {
    const reason = `superseded: the newer delivery ${by.id} of the same branch stands for it`;
    await deliveries.update(id, { state: "ignored", reason }, { ...options, standing: state });
  }
}

function isGivenUp({ state, retryable, branch, receivedAt, replayed }: Delivery, now: Date): boolean {
  const isOpen = state === "received" || state === "queued" || (state === "failed" && retryable === true);
  const { times, at } = replayed ?? { times: 0, at: receivedAt };
  return isOpen && branch !== "" && now.getTime() >= Date.parse(at) + patienceMs * 2 ** times;
}

function givenUpReason({ repository, branch, reason }: Delivery): string {
  const last = reason === "" ? "" : ` Last it was: ${reason}.`;
  return (
    `not planned, though its branch was queued ${mostReplays} times more.${last} Look for queue.work-failed in the plan ` +
    `function's log and at the dead letter queue; once ${repository} can be read again, push to ${branch} or redeliver this delivery`
  );
}
