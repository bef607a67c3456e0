import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Branch, branchKey, readersOf } from "../../plan/affected.ts";
import type { HeadStore } from "../../store/store.ts";
import type { InForce } from "./configuration-in-force.ts";

/**
 * Records the heads of branches that the configuration was read from, once it is planned: the pushed one, and those that no
 * application reads (the others are recorded with their applications). One that could not be opened gets none, so
 * that the sweep queues it as soon as it is back.
 */
export function createRecordLooked(
  heads: HeadStore,
): (inForce: Pick<InForce, "looked" | "configuration">, pushed: Branch, options: CallOptions) => Promise<void> {
  return async ({ looked, configuration }, pushed, options) => {
    const pushedKey = branchKey(pushed.repository, pushed.branch);
    await mapConcurrently([...looked], {
      limit: 8,
      work: async ([key, { repository, branch, head }]) => {
        const isRecorded =
          key === pushedKey || head === "" || readersOf(configuration.applications, { repository, branch }).length === 0;
        if (!isRecorded) return;
        if (((await heads.get(repository, branch, options)) ?? "") !== head) await heads.put(repository, branch, head, options);
      },
    });
  };
}
