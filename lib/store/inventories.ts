import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Inventory } from "../model/inventory.ts";
import { type JsonValue, parseJson, stringifyJson } from "../model/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import { timestamp } from "../telemetry/clock.ts";
import { type Item, textOf } from "./attributes.ts";
import { deflate, inflate } from "./deflated.ts";
import type { Items } from "./items.ts";
import type { Head, Parts } from "./parts.ts";
import type { InventoryStore } from "./store.ts";
import { retentionDays } from "./table.ts";
import { expiry } from "./timeline.ts";

/** A load that meets a save in its last moment reads again; more than this many in a row is no such meeting. */
const readings = 3;

/**
 * The head decides: parts come before it, and the parts it replaces go after it. A removed inventory leaves its fence
 * behind, so that a run which lost the lease long ago cannot bring the inventory back.
 */
export function createInventories(deps: { items: Items; parts: Parts; clock: Clock }): InventoryStore {
  const { items, parts, clock } = deps;
  const commit = async (application: string, head: Item, options: CallOptions & { fence: number }): Promise<void> => {
    const key = keyOf(application);
    const { fence, ...call } = options;
    const when = { text: "attribute_not_exists(#pk) OR #fence <= :fence", values: { fence } };
    const { written, before } = await items.put({ ...key, ...head, fence }, { ...call, when, returnBefore: true });
    if (!written) {
      await parts.remove({ ...key, ...head }, call);
      const message = `the inventory of ${application} was written by a newer holder of the lease than fence ${fence}`;
      throw new DriftlessError("lease", message, { facts: { application, fence } });
    }
    // The client repeats a write whose answer was lost, and then replaces its own head.
    if (before && before["version"] !== head["version"]) await parts.remove(before, call);
  };
  return {
    async load(application, options) {
      let missed = "";
      for (let reading = 0; reading < readings; reading += 1) {
        const head = await items.get(keyOf(application), options);
        if (!head || textOf(head, "version") === "") return undefined;
        const bytes = await parts.read(head, options);
        if (bytes) return inventoryOf(application, bytes);
        if (textOf(head, "version") === missed) break;
        missed = textOf(head, "version");
      }
      throw new DriftlessError("store", `a part of the inventory of ${application} is missing: nothing of it can be pruned`, {
        facts: { application },
      });
    },
    async save(inventory, options) {
      const bytes = await deflate(stringifyJson(inventory as unknown as JsonValue));
      const head: Head = await parts.write(keyOf(inventory.application).pk, bytes, options);
      await commit(inventory.application, head, options);
    },
    async remove(application, options) {
      await commit(application, { expiresAt: expiry(timestamp(clock), retentionDays.removedInventories) }, options);
    },
  };
}

function keyOf(application: string) {
  return { pk: `inventory#${application}`, sk: "head" };
}

async function inventoryOf(application: string, bytes: Uint8Array): Promise<Inventory> {
  try {
    return parseJson(await inflate(bytes)) as unknown as Inventory;
  } catch (cause) {
    throw new DriftlessError("store", `the inventory of ${application} cannot be read`, { cause, facts: { application } });
  }
}
