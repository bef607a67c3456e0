import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { Application } from "../../model/application.ts";
import type { ClusterCapabilities, GitSource, RenderInputs } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SourceTree } from "../../model/tree.ts";
import { branchKey, capabilitiesDigest, firstChangedInput } from "../../plan/affected.ts";
import { inputAt } from "../../render/inputs.ts";
import type { RenderSource } from "../../render/renderer.ts";

/** Opens the heads of all branches that an application reads; throws what the first that cannot be opened throws. */
export async function openSources(
  { sources }: Application,
  open: (source: GitSource) => Promise<SourceTree>,
): Promise<readonly RenderSource[]> {
  return mapConcurrently(sources, {
    limit: 8,
    work: async (source) => (source.kind === "git" ? { source, tree: await open(source) } : { source }),
  });
}

/** What names the desired state: the commit of the first source of Git, else the version of the first chart. */
export function revisionOf(sources: readonly RenderSource[]): string {
  const [first] = sources;
  const commit = sources.find(({ tree }) => tree !== undefined)?.tree?.commit;
  return commit ?? (first?.source.kind === "chart" ? first.source.chart.version : "");
}

export interface Heads {
  readonly sources: readonly RenderSource[];
  /** Asked only where the render told a chart what the cluster can do. */
  readonly capabilities: () => Promise<ClusterCapabilities>;
}

/** The first thing a render read that is another now, in words; undefined when it would give the same again. Reads no blob. */
export async function changedInput(
  inputs: RenderInputs,
  { sources, capabilities }: Heads,
  options: CallOptions = {},
): Promise<string | undefined> {
  for (const { repository, targetRevision, paths } of inputs.repositories) {
    const tree = treeOf(sources, branchKey(repository, targetRevision));
    if (tree === undefined) return `${repository} ${targetRevision}`;
    const current = new Map<string, string>();
    for (const path of Object.keys(paths)) current.set(path, await inputAt(tree, path, options));
    const changed = firstChangedInput(paths, current);
    if (changed !== undefined) return changed === "" ? "the root folder" : changed;
  }
  if (inputs.cluster === "" || inputs.cluster === capabilitiesDigest(await capabilities())) return undefined;
  return "what the cluster can do";
}

/** The same inputs, found again at other commits. */
export function inputsAt(inputs: RenderInputs, sources: readonly RenderSource[]): RenderInputs {
  const repositories = inputs.repositories.map((read) => {
    const revision = treeOf(sources, branchKey(read.repository, read.targetRevision))?.commit;
    return revision === undefined ? read : { ...read, revision };
  });
  return { ...inputs, repositories };
}

function treeOf(sources: readonly RenderSource[], key: string): SourceTree | undefined {
  return sources.find(({ source }) => source.kind === "git" && branchKey(source.repository, source.targetRevision) === key)?.tree;
}
