import type { PlannedChange } from "../../model/plan.ts";

/** Fields that a plan lists of one object, and of all together: the answer of a function is at most 6 MB. */
const most = { ofObject: 100, inAll: 3000 };

/** The changes with no more fields than people and the answer bear; what is left out is said. */
export function withinLimits(changes: readonly PlannedChange[]): readonly PlannedChange[] {
  let left = most.inAll;
  return changes.map((change) => {
    const fields = change.fields.slice(0, Math.min(most.ofObject, left));
    left -= fields.length;
    const more = change.fields.length - fields.length;
    if (more === 0) return change;
    const reason = [change.reason, `${more} more fields are not listed`].filter((text) => text !== "").join("; ");
    return { ...change, fields, reason };
  });
}
