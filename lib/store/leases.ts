import { DriftlessError } from "../errors.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, numberOf, textOf } from "./attributes.ts";
import type { Items } from "./items.ts";
import type { Lease, LeaseRequest, LeaseStore } from "./store.ts";

/** How often an acquire looks again when the lease changes hands between its write and its read. */
const attempts = 5;

/**
 * The race that one conditional update decides. Two runs meet a lease that has expired under fence 7:
 *
 *     run A                          the item                       run B
 *       |                     holder Z, fence 7, expired              |
 *       |-- take if expired ------->  holder A, fence 8               |
 *       |                             holder A, fence 8  <-- take if expired --|   refused: no longer expired
 *       |                             holder A, fence 8  <-- read -------------|   "held by A"
 *     writes with fence 8                                         Z wakes up, writes with fence 7: refused
 *
 * The item stays for ever, only its holder goes at a release: so the fence never starts again.
 *
 * A holder that is applying is not interrupted, but a newer generation that meets it leaves its wish: the holder's next
 * renewal is refused, and it gives the lease back.
 */
export function createLeases({ items, clock }: { items: Items; clock: Clock }): LeaseStore {
  const until = (seconds: number) => clock.now().getTime() + seconds * 1000;

  /** For a new holder: the fence counts up. */
  const takeOver = async (request: LeaseRequest): Promise<Item | undefined> => {
    const taken = await items.update(keyOf(request.application), {
      ...callOf(request),
      change:
        "SET #holder = :holder, #generation = :generation, #phase = :applying, #until = :until REMOVE #wanted ADD #fence :one",
      when:
        "attribute_not_exists(#holder) OR " +
        "(#holder <> :holder AND (#until <= :now OR (#phase = :waiting AND #generation < :generation)))",
      values: {
        holder: request.holder,
        generation: request.generation,
        applying: "applying",
        waiting: "waiting",
        until: until(request.seconds),
        now: clock.now().getTime(),
        one: 1,
      },
    });
    return taken.written ? taken.after : undefined;
  };

  /** For the holder itself, also when the lease expired and nobody took it: the fence stays. */
  const takeAgain = async (request: LeaseRequest): Promise<Item | undefined> => {
    const taken = await items.update(keyOf(request.application), {
      ...callOf(request),
      change: "SET #generation = :generation, #phase = :applying, #until = :until",
      when: "#holder = :holder",
      values: {
        holder: request.holder,
        generation: request.generation,
        applying: "applying",
        until: until(request.seconds),
      },
    });
    return taken.written ? taken.after : undefined;
  };

  /** Asks the holder of an older generation to end at its next step. */
  const ask = async (request: LeaseRequest, held: Lease): Promise<void> => {
    if (held.generation >= request.generation) return;
    await items.update(keyOf(request.application), {
      ...callOf(request),
      change: "SET #wanted = :generation",
      when: "#holder = :holder AND #fence = :fence AND #generation < :generation",
      values: { holder: held.holder, fence: held.fence, generation: request.generation },
    });
  };

  return {
    async acquire(request) {
      const { application, holder } = request;
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const taken = await takeOver(request);
        if (taken) return { acquired: true, lease: leaseOf(application, taken) };
        const stored = await items.get(keyOf(application), callOf(request));
        if (stored && textOf(stored, "holder") === holder) {
          const again = await takeAgain(request);
          if (again) return { acquired: true, lease: leaseOf(application, again) };
        } else if (stored && textOf(stored, "holder") !== "") {
          const held = leaseOf(application, stored);
          await ask(request, held);
          return { acquired: false, held };
        }
      }
      throw new DriftlessError("store", `the lease of ${application} changed hands at each of ${attempts} attempts`, {
        retryable: true,
        facts: { application },
      });
    },
    async holds({ application, holder, fence }, options) {
      const item = await items.get(keyOf(application), options);
      if (!item || textOf(item, "holder") !== holder || numberOf(item, "fence") !== fence) return false;
      return numberOf(item, "wanted") <= numberOf(item, "generation");
    },
    async renew(lease, change, options) {
      const { written } = await items.update(keyOf(lease.application), {
        ...options,
        change: "SET #phase = :phase, #until = :until",
        when: "#holder = :holder AND #fence = :fence AND (attribute_not_exists(#wanted) OR #wanted <= #generation)",
        values: { holder: lease.holder, fence: lease.fence, phase: change.phase, until: until(change.seconds) },
      });
      return written;
    },
    async release(lease, options) {
      await items.update(keyOf(lease.application), {
        ...options,
        change: "REMOVE #holder, #generation, #phase, #until, #wanted",
        when: "#holder = :holder AND #fence = :fence",
        values: { holder: lease.holder, fence: lease.fence },
      });
    },
    async get(application, options) {
      const item = await items.get(keyOf(application), options);
      return item && textOf(item, "holder") !== "" ? leaseOf(application, item) : undefined;
    },
  };
}

function keyOf(application: string) {
  return { pk: `lease#${application}`, sk: "lease" };
}

function callOf({ signal }: LeaseRequest) {
  return signal ? { signal } : {};
}

function leaseOf(application: string, item: Item): Lease {
  return {
    application,
    holder: textOf(item, "holder"),
    fence: numberOf(item, "fence"),
    generation: numberOf(item, "generation"),
    phase: textOf(item, "phase") as Lease["phase"],
    expiresAt: new Date(numberOf(item, "until")).toISOString(),
  };
}
