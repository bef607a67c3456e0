import { messageOf } from "../errors.ts";
import type { PushEvent } from "../github/event.ts";
import type { Acceptance, AcceptDelivery, SignedDelivery } from "../github/listener.ts";
import type { CallOptions } from "../model/call.ts";
import type { Delivery, RevisionMessage } from "../model/delivery.ts";
import type { RevisionQueue } from "../queue/queue.ts";
import type { DeliveryStore } from "../store/store.ts";
import { type Clock, timestamp } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";

export interface AcceptPushDeps {
  readonly deliveries: Pick<DeliveryStore, "receive" | "update">;
  readonly queue: RevisionQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes a signed delivery in: a row first, then, for a push to a branch, a hint in the queue. The row tells a redelivery
 * what became of the first one: nothing to do once it is queued, again when it never got there or its plan failed.
 */
export function createAcceptPush(deps: AcceptPushDeps): AcceptDelivery {
  return async (signed, options) => {
    const fresh = rowOf(signed, timestamp(deps.clock));
    const { isNew, delivery } = await deps.deliveries.receive(fresh, options);
    if (isNew && fresh.state === "ignored") return { state: "ignored", reason: fresh.reason };
    if (isNew || mayNotBeQueued(delivery)) return enqueue(signed, delivery, { ...deps, ...options });
    deps.log.info("webhook.duplicate", { correlationId: signed.id, state: delivery.state });
    return { state: "duplicate", reason: `the delivery is ${delivery.state} already` };
  };
}

function mayNotBeQueued(delivery: Delivery): boolean {
  return delivery.state === "received" || delivery.state === "failed";
}

async function enqueue(
  signed: SignedDelivery,
  delivery: Delivery,
  { deliveries, queue, clock, log: base, signal }: AcceptPushDeps & CallOptions,
): Promise<Acceptance> {
  const log = base.with({ correlationId: signed.id });
  const options = signal === undefined ? {} : { signal };
  const { repository, branch, after } = delivery;
  const again = delivery.state === "failed";
  if (again) await deliveries.update(signed.id, { state: "received", reason: "" }, options);
  // After a failed plan the queue may still remember the id of the first message, and would swallow a second one.
  const deduplicationId = again ? `${signed.id}-${clock.now().getTime()}` : signed.id;
  const message = { repository, branch, after, correlationId: signed.id, ...repositoryIdOf(signed) };
  try {
    await queue.send(message, { deduplicationId, ...options });
  } catch (error) {
    await note(
      deliveries,
      signed.id,
      { state: "failed", reason: `not queued: ${messageOf(error)}`, retryable: true },
      { log, ...options },
    );
    throw error;
  }
  log.info("webhook.queued", { repository, branch, after });
  await note(deliveries, signed.id, { state: "queued", reason: "" }, { log, ...options });
  return { state: "queued", reason: "" };
}

function repositoryIdOf({ content }: SignedDelivery): Pick<RevisionMessage, "repositoryId"> {
  const id = content.kind === "push" ? content.push.repository.id : undefined;
  return id === undefined ? {} : { repositoryId: id };
}

/** The row only tells what the queue already decided: when it cannot be written, the answer stands all the same. */
async function note(
  deliveries: AcceptPushDeps["deliveries"],
  id: string,
  change: Pick<Delivery, "state" | "reason" | "retryable">,
  { log, ...options }: CallOptions & { readonly log: Log },
): Promise<void> {
  try {
    await deliveries.update(id, change, options);
  } catch (error) {
    log.warn("webhook.row-behind", { state: change.state, error });
  }
}

function rowOf({ id, event, content }: SignedDelivery, receivedAt: string): Delivery {
  const row = { id, event, repository: "", branch: "", after: "", receivedAt, applications: [] };
  switch (content.kind) {
    case "ping":
      return { ...row, repository: content.repository, state: "ignored", reason: "a ping: the webhook is set up" };
    case "other":
      return { ...row, repository: content.repository, state: "ignored", reason: `events of kind ${event} are not used` };
    case "push":
      return pushRow(row, content.push);
    default:
      return content satisfies never;
  }
}

function pushRow(row: Omit<Delivery, "state" | "reason">, push: PushEvent): Delivery {
  const pushed = { ...row, repository: push.repository.cloneUrl, after: push.deleted ? "" : push.after };
  return push.branch === undefined
    ? { ...pushed, state: "ignored", reason: `${push.ref} is a tag: only branches are followed` }
    : { ...pushed, branch: push.branch, state: "received", reason: "" };
}
