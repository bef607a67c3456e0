import { setTimeout as delay } from "node:timers/promises";
import { DriftlessError } from "../errors.ts";

/** How often, and after which first pause in milliseconds, what the table left out is asked for again. */
const repeats = { most: 8, pause: 50 };

/** Asks for all, and again for what is left of it; throws `store`, retryable, when something is left each time. */
export async function repeatLeft<T>(all: readonly T[], ask: (some: readonly T[]) => Promise<readonly T[]>): Promise<void> {
  let left = all;
  for (let repeat = 0; left.length > 0; repeat++) {
    if (repeat > repeats.most) {
      throw new DriftlessError("store", `the table left out ${left.length} of ${all.length} items each of ${repeat} times`, {
        retryable: true,
      });
    }
    if (repeat > 0) await delay(repeats.pause * 2 ** (repeat - 1));
    left = await ask(left);
  }
}
