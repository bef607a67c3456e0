import type { CallOptions } from "../../model/call.ts";
import { unlessAborted } from "../gather.ts";

interface Running<T> {
  readonly outcome: Promise<T>;
  readonly controller: AbortController;
  askers: number;
}

export interface JoinedWork<T> {
  readonly key: string;
  readonly work: (options: CallOptions) => Promise<T>;
}

/** Who asks for a key while work for it is under way waits for that; the work is stopped when the last one who waits gives up. */
export function createJoin<T>(): (work: JoinedWork<T>, options: CallOptions) => Promise<T> {
  const running = new Map<string, Running<T>>();

  const begin = ({ key, work }: JoinedWork<T>): Running<T> => {
    const controller = new AbortController();
    const begun = { outcome: work({ signal: controller.signal }), controller, askers: 0 };
    running.set(key, begun);
    return begun;
  };
  return async (work, { signal }) => {
    signal?.throwIfAborted();
    const joined = running.get(work.key) ?? begin(work);
    joined.askers += 1;
    try {
      return await unlessAborted(joined.outcome, signal);
    } finally {
      joined.askers -= 1;
      if (joined.askers === 0) {
        running.delete(work.key);
        joined.controller.abort(signal?.reason);
      }
    }
  };
}
