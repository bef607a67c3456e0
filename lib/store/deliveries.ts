import { DriftlessError } from "../errors.ts";
import type { Delivery } from "../model/delivery.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, type Scalar, textOf } from "./attributes.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { DeliveryStore } from "./store.ts";
import { retentionDays } from "./table.ts";
import { expiry, pageOf } from "./timeline.ts";

export function createDeliveries({ items, clock, newId }: { items: Items; clock: Clock; newId: () => string }): DeliveryStore {
  return {
    async receive(delivery, options) {
      const { state, applications, reason, retryable: _asked, replayed: _times, ...rest } = delivery;
      const writer = newId();
      const item = {
        ...keyOf(delivery.id),
        ...pack(rest),
        state,
        applications: JSON.stringify(applications),
        reason,
        writer,
        timeline: "delivery",
        time: `${delivery.receivedAt}#${delivery.id}`,
        expiresAt: expiry(delivery.receivedAt, retentionDays.deliveries),
      };
      const { written } = await items.put(item, { ...options, when: { text: "attribute_not_exists(#pk)" } });
      if (written) return { isNew: true, delivery };
      const stored = await items.get(keyOf(delivery.id), options);
      if (!stored) throw new DriftlessError("store", `delivery ${delivery.id} expired while it was read`, { retryable: true });
      // The client repeats a write whose answer was lost, and then meets its own row.
      return { isNew: stored["writer"] === writer, delivery: deliveryOf(stored) };
    },
    async update(id, change, options) {
      const values: Record<string, Scalar> = {
        ...(change.state !== undefined && { state: change.state }),
        ...(change.applications !== undefined && { applications: JSON.stringify(change.applications) }),
        ...(change.reason !== undefined && { reason: change.reason }),
        ...(change.state !== undefined && { retryable: change.retryable === true ? "true" : "" }),
        ...(change.replayed !== undefined && { replays: change.replayed.times, replayedAt: change.replayed.at }),
      };
      const sets = Object.keys(values).map((name) => `#${name} = :${name}`);
      if (sets.length === 0) return;
      // The planner may be done before the webhook has said "queued": that must not undo its word.
      const standing = change.state === "queued" ? "received" : options?.standing;
      await items.update(keyOf(id), {
        ...(options?.signal && { signal: options.signal }),
        change: `SET ${sets.join(", ")}`,
        when: standing === undefined ? "attribute_exists(#pk)" : "#state = :standing",
        values: standing === undefined ? values : { ...values, standing },
      });
    },
    async list(request) {
      const timeline = {
        index: "timeline",
        hashKey: "timeline",
        sortKey: "time",
        owner: "delivery",
        days: retentionDays.deliveries,
      };
      const page = await pageOf(items, { ...timeline, clock }, request);
      return { ...page, items: page.items.map(deliveryOf) };
    },
  };
}

function keyOf(id: string) {
  return { pk: `delivery#${id}`, sk: "delivery" };
}

function deliveryOf(item: Item): Delivery {
  const { replays } = item;
  return {
    ...(unpack(item) as Omit<Delivery, "state" | "applications" | "reason" | "retryable" | "replayed">),
    state: textOf(item, "state") as Delivery["state"],
    applications: JSON.parse(textOf(item, "applications")) as string[],
    reason: textOf(item, "reason"),
    ...(textOf(item, "retryable") === "true" && { retryable: true }),
    ...(typeof replays === "number" && { replayed: { times: replays, at: textOf(item, "replayedAt") } }),
  };
}
