import type { Attribution, DriftRow } from "../model/drift.ts";
import type { Edit } from "./edit.ts";

/** managedFields know whole seconds, and the clocks of several API servers differ a little. */
const tolerance = 2000;
/** How long after an edit a sweep may find it, where the row itself has no time to compare: an hour. */
const foundWithin = 3_600_000;

export function attributionOf({ user, sourceIp, userAgent, at, breakGlass }: Edit): Attribution {
  return { user, sourceIp, userAgent, at, ...(breakGlass ? { breakGlass: true as const } : {}) };
}

/** Whether a row of the edited object is what this edit made: by manager, operation and time; a whole object by verb. */
export function isMadeBy(edit: Edit, row: DriftRow): boolean {
  switch (row.kind) {
    case "missing":
      return (edit.verb === "delete" || edit.verb === "deletecollection") && isFoundAfter(edit, row);
    case "orphan":
      return edit.verb !== "delete" && edit.verb !== "deletecollection" && isFoundAfter(edit, row);
    case "changed":
    case "addition":
      return isWrittenBy(edit, row);
    case "prevented":
      return false;
    default:
      return row.kind satisfies never;
  }
}

function isWrittenBy(edit: Edit, row: DriftRow): boolean {
  if (edit.verb === "delete" || edit.verb === "deletecollection") return false;
  // Whoever removes a field may own nothing any more: then managedFields name nobody.
  if (row.manager === "") return isFoundAfter(edit, row);
  if (row.manager !== edit.manager) return false;
  if (row.operation === "Apply" && edit.verb !== "patch") return false;
  if (row.operation === "Update" && edit.isApply) return false;
  // The server keeps no time for a write through the subresource scale: the row has the time at which it was seen.
  if (edit.subresource === "scale") return isFoundAfter(edit, row);
  const changed = Date.parse(row.changedAt);
  return changed >= Date.parse(edit.at) - tolerance && changed <= Date.parse(edit.answeredAt) + tolerance;
}

function isFoundAfter(edit: Edit, row: DriftRow): boolean {
  const waited = Date.parse(row.firstSeen) - Date.parse(edit.at);
  return waited >= -tolerance && waited <= foundWithin;
}
