import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";

/** Whether the key that the functions have opens what the table keeps: one desired state is read. */
export async function checkSnapshots(
  { snapshots }: Pick<Stores, "snapshots">,
  states: readonly ApplicationState[],
  options: CallOptions,
): Promise<readonly Check[]> {
  const check = checkOf("snapshot key");
  const [one] = states.filter(({ desired }) => (desired?.snapshot ?? "") !== "");
  if (one?.desired === undefined) return [check.skipped("nothing is desired yet")];
  try {
    const objects = await snapshots.load(one.desired.snapshot, options);
    return [check.ok(`it opens the desired state of ${one.application}, ${objects.length} objects`)];
  } catch (error) {
    const isGone = isDriftlessError(error, "not-found");
    const advice = isGone
      ? "push an empty commit to the branch of driftless.yaml: everything is rendered again"
      : 'put the key that sealed the snapshots back into its secret; else docs/operations.md, "The snapshot key"';
    return [check.fail(`the desired state of ${one.application} does not open: ${messageOf(error)}`, advice)];
  }
}
