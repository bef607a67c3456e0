import type { ClusterReader, PartialObject } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError } from "../errors.ts";
import type { Application } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { displayRef, type Manifest, type ResourceRef, resourceKey } from "../model/resource.ts";
import { foreignHash } from "../ownership/fingerprint.ts";
import { isSuspect } from "../ownership/suspect.ts";
import { examine, type Verdict } from "./examine.ts";

export { orphanRows } from "./rows.ts";

export interface DetectRequest {
  /** Reads only: what finds drift cannot write. */
  readonly reader: ClusterReader;
  readonly application: string;
  readonly cluster: string;
  /** Of the application; the annotations of an object in Git go before them. */
  readonly policies: Pick<Application, "drift" | "additions" | "ignoreDifferences">;
  readonly entries: readonly InventoryEntry[];
  /** Metadata of live objects by `resourceKey`, from one LIST a kind. */
  readonly live: ReadonlyMap<string, PartialObject>;
  /** The object as it would be applied; asked only for what metadata cannot clear. */
  readonly desired: (ref: ResourceRef) => Promise<Manifest | undefined>;
  /** When the sweep looks, RFC 3339. */
  readonly now: string;
}

export interface Detected {
  readonly rows: readonly DriftRow[];
  /** Objects that metadata alone could not clear: each cost a dry run or a read. */
  readonly suspects: number;
  /** Objects whose drift is to be put right, by their own policies or the application's. */
  readonly heals: readonly ResourceRef[];
  /**
   * Objects whose values are right and whose fields belong to someone else, and whose policy heals: taken back by the next sync,
   * without a row.
   */
  readonly takeBack: readonly ResourceRef[];
  /** Objects whose additions count as drift, and are removed by a heal. */
  readonly strict: readonly ResourceRef[];
  /** Objects without a row that need no other look until somebody gains or loses a field of them, or they are applied again. */
  readonly cleared: readonly ResourceRef[];
  /** The same, until their `resourceVersion` moves: what they are depends on values in hands of others. */
  readonly clearedAsSeen: readonly ResourceRef[];
  /** Objects that could not be checked, and why. */
  readonly errors: readonly string[];
}

interface Finding extends Verdict {
  readonly ref: ResourceRef;
}

/** Compares what an application owns with what is live: by metadata alone, and by a dry run only where that shows a change. */
export async function detectDrift(request: DetectRequest, options: CallOptions = {}): Promise<Detected> {
  const watched = request.entries.filter(({ uid, leaving, hook }) => uid !== "" && leaving !== true && hook !== true);
  const findings = await mapConcurrently(watched, { limit: 8, work: (entry) => checkEntry(entry, request, options) });
  const refsWhere = (is: (finding: Finding) => boolean) => findings.filter(is).map(({ ref }) => ref);
  return {
    rows: findings.flatMap(({ rows }) => rows),
    suspects: findings.filter(({ asked }) => asked).length,
    heals: refsWhere(({ heals }) => heals),
    takeBack: refsWhere(({ takeBack }) => takeBack),
    strict: refsWhere(({ strict }) => strict),
    cleared: refsWhere(({ cleared }) => cleared === "owners"),
    clearedAsSeen: refsWhere(({ cleared }) => cleared === "version"),
    errors: findings.flatMap(({ error }) => (error === undefined ? [] : [error])),
  };
}

const untold: Verdict = { rows: [], asked: false, heals: false, takeBack: false, strict: false };

async function checkEntry(entry: InventoryEntry, request: DetectRequest, options: CallOptions): Promise<Finding> {
  const { ref } = entry;
  const seen = request.live.get(resourceKey(ref));
  const suspect = seen === undefined || isSuspect(entry, seen.metadata);
  if (!suspect && foreignHash(seen.metadata) === "") return { ...untold, ref };
  try {
    return { ...(await examine({ ref, suspect }, request, options)), ref };
  } catch (error) {
    // A right that is missing for one kind or namespace hides nothing of the others.
    const isRight = isDriftlessError(error, "cluster") && error.facts["status"] === 403;
    if (!isRight && !isDriftlessError(error, "apply", "refused")) throw error;
    return { ...untold, asked: true, ref, error: `${displayRef(ref)}: ${error.message}` };
  }
}
