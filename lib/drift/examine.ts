import { diffApplied } from "../diff/applied.ts";
import { additions, type FieldDifference } from "../diff/diff.ts";
import { keepLive } from "../diff/keep-live.ts";
import { type DriftlessError, isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";
import type { FieldSet } from "../model/field-set.ts";
import { canonicalJson } from "../model/json.ts";
import { displayRef, type Manifest, type ResourceRef } from "../model/resource.ts";
import { pathsOf } from "../ownership/field-set.ts";
import { ourFields } from "../ownership/fingerprint.ts";
import { sharesOf } from "../ownership/shares.ts";
import { takeAdditions } from "../ownership/take-additions.ts";
import { foreignWriters, otherOwnerOf } from "../ownership/writers.ts";
import { type IgnoredFields, isByValue, isIgnoredIn } from "../paths/ignored-fields.ts";
import { type DriftOptions, driftOptionsOf, isHealing } from "../plan/drift-options.ts";
import { ignoredFields } from "../plan/ignored-differences.ts";
import { applyOptionsOf } from "../plan/options.ts";
import type { DetectRequest } from "./detect.ts";
import { diffRefused } from "./refused.ts";
import { fieldRows, wholeObject } from "./rows.ts";

/** What one object is found to be. */
export interface Verdict {
  readonly rows: readonly DriftRow[];
  /** True when the API server was asked about it. */
  readonly asked: boolean;
  readonly heals: boolean;
  readonly takeBack: boolean;
  /** True when its additions count as drift. */
  readonly strict: boolean;
  /** Set when it is as it should be: what keeps it so, see `Detected`. */
  readonly cleared?: "owners" | "version";
  /** Why it could not be checked in full. */
  readonly error?: string;
}

interface Suspected {
  readonly ref: ResourceRef;
  /** False when metadata proves our fields, and others have set something. */
  readonly suspect: boolean;
}

interface Subject extends Suspected {
  readonly live: Manifest;
  readonly manifest: Manifest | undefined;
  readonly options: DriftOptions;
  readonly ignored: IgnoredFields | undefined;
}

const fine: Verdict = { rows: [], asked: true, heals: false, takeBack: false, strict: false };

/**
 * Looks at one object, as its policies ask. One that is missing from the list may only have lost our label: the API server is asked
 * before it is called gone.
 */
export async function examine({ ref, suspect }: Suspected, request: DetectRequest, call: CallOptions): Promise<Verdict> {
  const manifest = await request.desired(ref);
  const options = driftOptionsOf(manifest, request.policies);
  const needsLook = options.drift !== "ignore" && (suspect || options.additions !== "ignore");
  if (!needsLook) return { ...fine, asked: false, cleared: "owners" };
  const live = await request.reader.get(ref, call);
  const alone = isLeftAlone({ manifest, live });
  if (alone !== undefined) return { ...fine, ...alone };
  if (live === undefined) return { ...fine, rows: [wholeObject("missing", ref, request)], heals: isHealing(options) };
  // It cannot be made again before it is gone.
  if (live.metadata.deletionTimestamp !== undefined) return { ...fine, rows: [wholeObject("missing", ref, request)] };
  const ignored = ignoredFields(ref, request.policies.ignoreDifferences);
  return compare({ ref, suspect, live, manifest, options, ignored }, request, call);
}

async function compare(subject: Subject, request: DetectRequest, call: CallOptions): Promise<Verdict> {
  const { ref, suspect, live, manifest, options, ignored } = subject;
  if (manifest === undefined || !suspect) {
    const added = additionsOf(subject, ourFields(live.metadata), request);
    return { ...fine, ...added, ...(added.rows.length === 0 ? lasting(ignored, { isOurs: true }) : {}) };
  }
  const applied = ignored === undefined ? manifest : keptIn(manifest, { live, ignored });
  let desired: Manifest;
  try {
    desired = await request.reader.dryRunApply(applied, { ...call, force: true });
  } catch (error) {
    if (!isDriftlessError(error, "apply") || error.facts["refusal"] !== "invalid") throw error;
    return refused(subject, { manifest: applied, error }, request);
  }
  const owned = ourFields(desired.metadata);
  const changed = owned === undefined ? [] : diffApplied({ after: desired, live, owned, ownedBefore: ourFields(live.metadata) });
  const added = additionsOf(subject, owned, request);
  const rows = [...fieldRows("changed", { ref, live, differences: changed }, request), ...added.rows];
  const isOurs = owned !== undefined && isWithin(owned, ourFields(live.metadata));
  // Nobody owns the order of a keyed list.
  const isUntouched = isOurs && (ignored !== undefined || isSameContent(desired, live));
  const takeBack = changed.length === 0 && isHealing(options) && !isUntouched;
  return {
    rows,
    asked: true,
    heals: added.heals || (changed.length > 0 && mayHeal(subject, manifest, changed)),
    takeBack,
    strict: added.strict,
    ...(rows.length === 0 && !takeBack ? lasting(ignored, { isOurs }) : {}),
  };
}

/** What was done to it and what Git states make no valid object together, so that there is nothing to compare with but the manifest. */
function refused(
  subject: Subject,
  { manifest, error }: { readonly manifest: Manifest; readonly error: DriftlessError },
  request: DetectRequest,
): Verdict {
  const { ref, live } = subject;
  const changed = diffRefused({ manifest, live });
  const rows = fieldRows("changed", { ref, live, differences: changed }, request);
  return {
    ...fine,
    rows,
    heals: changed.length > 0 && mayHeal(subject, manifest, changed),
    error: `${displayRef(ref)}: ${error.message}`,
  };
}

/** As a sync would apply it to the live object. */
function keptIn(manifest: Manifest, { live, ignored }: { readonly live: Manifest; readonly ignored: IgnoredFields }): Manifest {
  return keepLive({ manifest, live, ignored, shares: sharesOf(live.metadata, ignored.managers) }).manifest;
}

/** An object that is shared by its annotation is not taken from others. */
function mayHeal({ live, options }: Subject, manifest: Manifest, changed: readonly FieldDifference[]): boolean {
  if (!isHealing(options)) return false;
  return applyOptionsOf(manifest).force !== false || changed.every(({ path }) => otherOwnerOf(live.metadata, path) === undefined);
}

/** How long it is known that an object is as it should be; `isOurs` when we own all that we state. */
function lasting(ignored: IgnoredFields | undefined, { isOurs }: { readonly isOurs: boolean }): Pick<Verdict, "cleared"> {
  const dependsOnValues = !isOurs || (ignored !== undefined && isByValue(ignored));
  return { cleared: dependsOnValues ? "version" : "owners" };
}

function isSameContent(one: Manifest, other: Manifest): boolean {
  const [left, right] = [one, other].map(({ status: _status, metadata, ...rest }) => {
    const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...stated } = metadata;
    return canonicalJson({ ...rest, metadata: stated });
  });
  return left === right;
}

/** True when the live object names us for each of these fields. */
function isWithin(fields: FieldSet, live: FieldSet | undefined): boolean {
  const ours = new Set(live === undefined ? [] : pathsOf(live));
  return pathsOf(fields).every((path) => ours.has(path));
}

/** `owned` is what is ours after an apply: what was taken from us is a change, and not an addition too. */
function additionsOf(
  { ref, live, manifest, options, ignored }: Subject,
  owned: FieldSet | undefined,
  request: DetectRequest,
): Pick<Verdict, "rows" | "heals" | "strict"> {
  if (options.additions === "ignore") return { rows: [], heals: false, strict: false };
  const managers: ReadonlySet<string> = ignored?.managers ?? new Set();
  const foreign = foreignWriters(live.metadata).filter(({ manager }) => !managers.has(manager));
  const found = additions({ live, owned, foreign: foreign.map(({ fields }) => fields) });
  const keeps = isIgnoredIn(ignored, live);
  const rows = fieldRows("addition", { ref, live, differences: found.filter(({ path }) => !keeps(path)) }, request);
  if (options.additions === "report" || manifest === undefined) return { rows, heals: false, strict: false };
  const removed = new Set(takeAdditions(live.metadata, { keeps, managers })?.paths);
  const strict = rows.some(({ field }) => removed.has(field));
  return { rows, heals: strict && isHealing(options), strict };
}

/**
 * Set for what no sync would write either, since an annotation says so: in Git, or in the cluster, where anybody may take it away
 * again without a trace in who owns what.
 */
function isLeftAlone({
  manifest,
  live,
}: {
  readonly manifest: Manifest | undefined;
  readonly live: Manifest | undefined;
}): Pick<Verdict, "cleared"> | undefined {
  const asked = manifest === undefined ? "always" : applyOptionsOf(manifest).apply;
  if (asked === "never" || (asked === "if-absent" && live !== undefined)) return { cleared: "owners" };
  if (live !== undefined && applyOptionsOf(live).apply === "never") return { cleared: "version" };
  return undefined;
}
