import { hash } from "node:crypto";
import type { Application } from "../model/application.ts";
import { gitSources } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationState } from "../model/sync.ts";
import type { SourceTree } from "../model/tree.ts";
import { inputAt } from "../render/inputs.ts";
import type { PlannedInputs } from "../store/store.ts";

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
export async function unchangedSince(
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

export interface IndexCheck {
  readonly applications: readonly Application[];
  /** The branch's head. */
  readonly tree: SourceTree;
  /** Digest of what a cluster can do; undefined where nobody knows. */
  readonly clusterDigest: (cluster: string) => Promise<string | undefined>;
}

/** What the index keeps of an application that was just planned; undefined where it has to be looked at again. */
export function indexEntry(application: Application, state: ApplicationState): PlannedInputs[string] | undefined {
  const { inputs, planError, removed, desired } = state;
  const [read, other] = inputs.repositories;
  const isOfOneBranch = gitSources(application.sources).length === 1 && read !== undefined && other === undefined;
  if (!isOfOneBranch || planError !== "" || removed || desired === undefined) return undefined;
  const paths = Object.keys(read.paths);
  return { paths, digest: digestOf(Object.values(read.paths)), cluster: inputs.cluster };
}

function digestOf(ids: readonly string[]): string {
  return hash("sha256", ids.join("\n"), "base64").slice(0, 24);
}
