import { hash } from "node:crypto";
import type { Application, Configuration } from "../../model/application.ts";
import { type GitSource, gitSources } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { RevisionMessage } from "../../model/delivery.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { SourceTree } from "../../model/tree.ts";
import { branchesOf, branchKey, capabilitiesDigest, readersOf } from "../../plan/affected.ts";
import { inputAt } from "../../render/inputs.ts";
import type { HeadStore, PlanIndex, PlannedInputs } from "../../store/store.ts";
import type { Opened, PlannedAll } from "./plan-all.ts";

/**
 * Which applications of a branch need no look at all: the branch's index says what each one's last render read, so that a push is
 * decided by one row of the table and the trees, however many applications there are.
 *
 * The index counts only while nothing else can have planned these applications since it was written:
 *
 *     head row    commit c1, index t1      index row t1: configuration 7, inputs of each application at c1
 *     push c2     index t1 is the head's, configuration is still 7 -> compare; two applications differ
 *                 head row "", no index                    (from here on a plan that is cut off leaves no index behind)
 *                 plan the two, start their runs
 *                 index row t2, head row commit c2, index t2
 *
 * Every other change of the configuration gets a new number, and what changes a desired state in another way has to take the
 * index from the head row. An application of several branches is in no index: what it read of one says nothing of the others.
 */
export async function unchangedReaders(
  index: PlanIndex | undefined,
  { number, message, readers, opened }: IndexLook,
  options: CallOptions,
): Promise<PlannedInputs> {
  const source = sourceAt(readers, message);
  if (index === undefined || index.configuration !== number || source === undefined) return {};
  // What is wrong with the branch, each application says for itself.
  const tree = await opened.heads.open(source).catch(() => undefined);
  if (tree === undefined) return {};
  const clusterDigest = (cluster: string) => opened.capabilities(cluster).then(capabilitiesDigest, () => undefined);
  return unchangedSince(index.inputs, { applications: readers, tree, clusterDigest }, options);
}

export interface IndexLook {
  /** Of the configuration in force. */
  readonly number: number;
  readonly message: RevisionMessage;
  /** The applications that read the branch. */
  readonly readers: readonly Application[];
  readonly opened: Opened;
}

/** A source of these applications that is this branch. */
function sourceAt(readers: readonly Application[], { repository, branch }: RevisionMessage): GitSource | undefined {
  const key = branchKey(repository, branch);
  const sources = readers.flatMap((reader) => gitSources(reader.sources));
  return sources.find((source) => branchKey(source.repository, source.targetRevision) === key);
}

/** What is left of the entries when those are taken out whose inputs are others at the branch's head. */
async function unchangedSince(
  entries: PlannedInputs,
  { applications, tree, clusterDigest }: IndexCheck,
  options: CallOptions,
): Promise<PlannedInputs> {
  const unchanged: { [application: string]: PlannedInputs[string] } = {};
  await Promise.all(
    applications.map(async ({ name, cluster }) => {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined) return;
      if (entry.cluster !== "" && entry.cluster !== (await clusterDigest(cluster))) return;
      const ids = await Promise.all(entry.paths.map((path) => inputAt(tree, path, options)));
      if (digestOf(ids) === entry.digest) unchanged[name] = entry;
    }),
  );
  return unchanged;
}

interface IndexCheck {
  readonly applications: readonly Application[];
  /** The branch's head. */
  readonly tree: SourceTree;
  /** Digest of what a cluster can do; undefined where nobody knows. */
  readonly clusterDigest: (cluster: string) => Promise<string | undefined>;
}

/** What the index keeps of an application that was just planned; undefined where it has to be looked at again. */
function indexEntry(application: Application, state: ApplicationState): PlannedInputs[string] | undefined {
  const { inputs, planError, removed, desired, pending } = state;
  const [read, other] = inputs.repositories;
  const isOfOneBranch = gitSources(application.sources).length === 1 && read !== undefined && other === undefined;
  if (!isOfOneBranch || planError !== "" || removed || (desired ?? pending) === undefined) return undefined;
  const paths = Object.keys(read.paths);
  return { paths, digest: digestOf(Object.values(read.paths)), cluster: inputs.cluster };
}

function digestOf(ids: readonly string[]): string {
  return hash("sha256", ids.join("\n"), "base64").slice(0, 24);
}

/** A head counts as planned when everybody who reads it was, and then gets an index of what they read. */
export async function recordHeads(
  heads: HeadStore,
  { configuration, number, opened, unchanged, planned }: HeadsRecord,
  options: CallOptions,
): Promise<void> {
  const { applications, outcomes } = planned;
  const done = new Set(applications);
  const states = new Map(outcomes.flatMap((of) => (of.outcome === "failed" ? [] : [[of.application, of.state]])));
  for (const [key, at] of branchesOf(applications)) {
    const readers = readersOf(configuration.applications, at);
    // Nothing was fetched of a branch that is read by nobody who may.
    if (readers.length === 0) continue;
    if (!readers.every((application) => done.has(application) || unchanged[application.name] !== undefined)) continue;
    const entries = readers.flatMap((application) => {
      const state = states.get(application.name);
      const entry = state === undefined ? unchanged[application.name] : indexEntry(application, state);
      return entry === undefined ? [] : [[application.name, entry] as const];
    });
    const inputs = Object.fromEntries(entries);
    const index = await heads.saveIndex(at, { configuration: number, inputs }, options);
    const named = index === undefined ? options : { ...options, index };
    await heads.put(at.repository, at.branch, opened.heads.revision(key), named);
  }
}

export interface HeadsRecord extends Pick<IndexLook, "number" | "opened"> {
  readonly configuration: Configuration;
  /** Of the pushed branch: what needed no look. */
  readonly unchanged: PlannedInputs;
  readonly planned: PlannedAll;
}
