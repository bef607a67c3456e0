import type { ChartReference } from "./chart.ts";
import type { JsonObject } from "./json.ts";

/** One place that an application's objects come from. */
export type ApplicationSource = GitSource | ChartSource;

/** A folder at the head of a branch. What the folder holds chooses the renderer; options of another renderer are refused. */
export interface GitSource {
  readonly kind: "git";
  /** Clone URL, or path of a local repository. */
  readonly repository: string;
  /** Branch name. */
  readonly targetRevision: string;
  /** Folder, without leading or trailing slash; "" is the root. Absent: nothing is rendered, the files serve other sources. */
  readonly path?: string;
  /** By `$NAME/...` other sources of the application name files of this repository. */
  readonly ref?: string;
  readonly directory?: DirectoryOptions;
  readonly kustomize?: KustomizeOptions;
  readonly helm?: HelmOptions;
}

/** A chart of a chart repository. */
export interface ChartSource {
  readonly kind: "chart";
  readonly chart: ChartReference;
  readonly helm?: HelmOptions;
}

/** Which files of a plain folder are manifests. */
export interface DirectoryOptions {
  /** Folders below as well. */
  readonly recurse: boolean;
  /** Globs over paths below the folder; an empty list takes every manifest. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Set in a kustomization, as `kustomize edit` would. */
export interface KustomizeOptions {
  /** As `kustomize edit set image` takes them: `NAME=NEW:TAG`, `NAME:TAG`, `NAME@DIGEST`. */
  readonly images: readonly string[];
  readonly namePrefix: string;
  readonly nameSuffix: string;
  readonly namespace: string;
  readonly commonLabels: { readonly [name: string]: string };
  readonly commonAnnotations: { readonly [name: string]: string };
  readonly replicas: readonly { readonly name: string; readonly count: number }[];
  /** Folders, from the application's own. */
  readonly components: readonly string[];
  readonly patches: readonly KustomizePatch[];
}

/** A strategic merge or JSON patch, as YAML text. */
export interface KustomizePatch {
  readonly patch: string;
  readonly target?: { readonly [field: string]: string };
}

/** How a chart is rendered. */
export interface HelmOptions {
  /** "" is the application's name. */
  readonly releaseName: string;
  /** Files from the chart's folder, or `$REF/PATH` from another source; a later one wins. */
  readonly valueFiles: readonly string[];
  /** A value file that is not there is passed over instead of an error. */
  readonly ignoreMissingValueFiles: boolean;
  /** Over the files. */
  readonly values: JsonObject;
  /** Over all values, as `--set` or `--set-string` take them. */
  readonly parameters: readonly { readonly name: string; readonly value: string; readonly forceString: boolean }[];
  /** "" asks the cluster. */
  readonly kubeVersion: string;
  /** Further to those of the cluster: `monitoring.coreos.com/v1`, or with kind. */
  readonly apiVersions: readonly string[];
  readonly skipCrds: boolean;
}

/** A chart as it is: nothing is stated. */
export const noHelmOptions: HelmOptions = {
  releaseName: "",
  valueFiles: [],
  ignoreMissingValueFiles: false,
  values: {},
  parameters: [],
  kubeVersion: "",
  apiVersions: [],
  skipCrds: false,
};

/** What a cluster can do, as charts ask for it. */
export interface ClusterCapabilities {
  /** Such as v1.35.4. */
  readonly kubeVersion: string;
  /** Group versions and kinds: `v1`, `apps/v1`, `apps/v1/Deployment`; sorted. */
  readonly apiVersions: readonly string[];
}

/** What a render read: when none of it changed, the render gives the same again. */
export interface RenderInputs {
  readonly repositories: readonly RepositoryInputs[];
  /** What cannot change, for people: charts and remote bases with the version that pins them. */
  readonly pinned: readonly string[];
  /** Digest of the capabilities that charts were told; "" when none were. */
  readonly cluster: string;
}

/** What a render read at the head of one branch. */
export interface RepositoryInputs {
  readonly repository: string;
  readonly targetRevision: string;
  /** Commit id. */
  readonly revision: string;
  /** Path to object id, "" for a path that was looked for and not there. A listed folder stands with its tree id. */
  readonly paths: { readonly [path: string]: string };
}

/** The sources of Git, in order. */
export function gitSources(sources: readonly ApplicationSource[]): readonly GitSource[] {
  return sources.filter((source) => source.kind === "git");
}
