import { diffWithdrawn } from "../../diff/applied.ts";
import type { FieldDifference } from "../../diff/diff.ts";
import type { JsonValue } from "../../model/json.ts";
import { parseJson } from "../../model/json.ts";
import { type Manifest, refOf } from "../../model/resource.ts";
import { ownedFields, pathsOf } from "../../ownership/field-set.ts";
import { keepsUnstated, takeOver } from "../../ownership/take-over.ts";

export interface PreviewedAdoption {
  /** Managers whose share becomes ours. */
  readonly from: readonly string[];
  /** What they stated, nobody states any more, and goes therefore. */
  readonly gone: readonly FieldDifference[];
}

/** kubectl and Argo CD keep in it what they stated; their share in managedFields has the server's defaults too. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * What the adoption after an apply would take over; undefined where no other deployer has a share. Of a share that was not
 * applied on the server's side (Helm 3), and that no annotation explains, what goes is not known, and not listed.
 */
export function previewAdoption({
  live,
  after,
}: {
  readonly live: Manifest;
  readonly after: Manifest;
}): PreviewedAdoption | undefined {
  const keepUnstated = keepsUnstated(refOf(live));
  const taken = takeOver(after.metadata, { keepUnstated });
  if (taken === undefined) return undefined;
  if (keepUnstated) return { from: taken.from, gone: [] };
  const entries = after.metadata.managedFields ?? [];
  const former = entries.filter(
    ({ manager = "", subresource = "" }) => taken.from.includes(manager) && manager !== unknownOwner && subresource === "",
  );
  const kept = new Set(
    entries.filter((entry) => !former.includes(entry)).flatMap((entry) => pathsOf(ownedFields(entry.fieldsV1 ?? {}))),
  );
  const annotation = statedIn(live.metadata.annotations?.[lastApplied]);
  const gone = former.flatMap((entry) => {
    const stated = entry.operation === "Apply" ? live : annotation;
    const fields = ownedFields(entry.fieldsV1 ?? {});
    return stated === undefined ? [] : diffWithdrawn({ fields, kept, live, stated });
  });
  return { from: taken.from, gone: [...new Map(gone.map((row) => [row.path, row])).values()] };
}

/** The server's own name for what was there before anybody applied: of that nothing goes. */
const unknownOwner = "before-first-apply";

function statedIn(annotation: string | undefined): JsonValue | undefined {
  try {
    return annotation === undefined ? undefined : parseJson(annotation);
  } catch {
    return undefined;
  }
}
