import { kustomizationNames } from "./inputs.ts";
import { createRemoteBases, isRemotePath } from "./remote-bases.ts";
import type { FolderRequest, SourceJob } from "./source-job.ts";

/** A kustomization; its files are looked up while it is built. */
export async function kustomizeJob({ path, commit, source, render, openRemote, options }: FolderRequest): Promise<SourceJob> {
  const prefix = path === "" ? "" : `${path}/`;
  const entries = await commit.find(kustomizationNames.map((name) => `${prefix}${name}`));
  // A kustomization says itself which files count; only a plain folder depends on its whole listing.
  commit.forget(path);
  const { kustomize } = source;
  const { remoteBases, refusalOf } = render;
  const remote = createRemoteBases({ openRemote, allowed: remoteBases, budget: commit.budget, refusalOf, options });
  return {
    renderer: "kustomize",
    request: { op: "render", renderer: "kustomize", path, entries, remoteBases, ...(kustomize ? { kustomize } : {}) },
    async lookup(paths) {
      const [own, others] = await Promise.all([
        commit.find(paths.filter((one) => !isRemotePath(one))),
        remote.find(paths.filter(isRemotePath)),
      ]);
      return [...own, ...others];
    },
    get pinned() {
      return remote.pinned;
    },
  };
}
