import type { ClusterWriter } from "../../cluster/cluster.ts";
import { DriftlessError } from "../../errors.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** Seconds after which a run asks for its lease again before it writes: a newer revision waits no longer than that for a long list. */
const freshSeconds = 5;

export interface HeldWriterDeps {
  readonly writer: ClusterWriter;
  /** Extends the lease; false when another run took the application over, or wants to. */
  readonly renew: () => Promise<boolean>;
  readonly clock: Clock;
  /** When it was last known to be held, in milliseconds since 1970; not at all when absent. */
  readonly heldAt?: number;
}

/** Writes only while the application is this run's. */
export interface HeldWriter {
  /** Throws `lease` in place of a write once the application is another run's. */
  readonly writer: ClusterWriter;
  /** Asks now. */
  readonly stillMine: () => Promise<boolean>;
}

/**
 * The API server knows no fences: a worker that was frozen, or that is slow, would write on long after its lease went to
 * another. So each write looks how long ago the lease was known to be held, and asks again when that is too long.
 */
export function createHeldWriter({ writer, renew, clock, ...known }: HeldWriterDeps): HeldWriter {
  let { heldAt = Number.NEGATIVE_INFINITY } = known;
  let asking: Promise<boolean> | undefined;

  const ask = async (): Promise<boolean> => {
    const at = clock.now().getTime();
    const held = await renew();
    if (held) heldAt = at;
    return held;
  };

  /** Writes that start at once ask once. */
  const stillMine = (): Promise<boolean> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };

  const beforeWrite = async (): Promise<void> => {
    if (clock.now().getTime() - heldAt < freshSeconds * 1000) return;
    if (!(await stillMine())) throw new DriftlessError("lease", "another run took the application over");
  };

  const held: Pick<ClusterWriter, "apply" | "delete" | "patchOwnership"> = {
    apply: async (manifest, options) => {
      await beforeWrite();
      return writer.apply(manifest, options);
    },
    delete: async (ref, options) => {
      await beforeWrite();
      return writer.delete(ref, options);
    },
    patchOwnership: async (ref, options) => {
      await beforeWrite();
      return writer.patchOwnership(ref, options);
    },
  };
  return { writer: Object.assign(Object.create(writer) as ClusterWriter, held), stillMine };
}
