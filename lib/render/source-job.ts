import type { ApplicationSource, GitSource } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { ChartReference } from "../model/chart.ts";
import type { TreeEntry } from "../model/tree.ts";
import type { CommitEntries } from "./commit-entries.ts";
import type { HelperRequest } from "./helper-protocol.ts";
import { kustomizationNames } from "./inputs.ts";
import { refusal } from "./refusal.ts";
import type { OpenRemote } from "./remote-bases.ts";
import type { RendererKind, RenderRequest } from "./renderer.ts";

/** One source that is to be rendered, and what its job may reach. */
export interface JobRequest<Source extends ApplicationSource = ApplicationSource> {
  readonly source: Source;
  readonly render: RenderRequest;
  /** The commit that a source of Git is read from. */
  readonly commitOf: (source: GitSource) => CommitEntries;
  /** Opens one commit of another repository, for remote bases. */
  readonly openRemote?: OpenRemote | undefined;
  /** Fetches charts of chart repositories. */
  readonly charts?: FetchCharts | undefined;
  readonly options: CallOptions;
}

export interface FetchCharts {
  /** The chart's `.tgz`, which has the pinned digest; throws `source`. */
  fetch(chart: ChartReference, options?: CallOptions): Promise<Uint8Array>;
}

/** A folder of Git, listed. */
export interface FolderRequest extends JobRequest<GitSource> {
  readonly path: string;
  readonly commit: CommitEntries;
  readonly listing: readonly TreeEntry[];
}

/** What the helper is asked for a source. */
export interface SourceJob {
  readonly renderer: RendererKind;
  readonly request: HelperRequest;
  /** Answers what Kustomize looks at. */
  readonly lookup?: CommitEntries["find"];
  /** Pinned things that were read, for people. */
  readonly pinned?: readonly string[];
  /** Digest of the capabilities that the chart was told. */
  readonly cluster?: string;
}

/** The renderer that a source's options ask for, else the one that its folder's content does. */
export function chooseRenderer(
  source: GitSource,
  { path, listing }: { readonly path: string; readonly listing: readonly TreeEntry[] },
): RendererKind {
  const asked = (["directory", "kustomize", "helm"] as const).filter((kind) => source[kind] !== undefined);
  if (asked.length > 1) throw refusal(path, `has options for ${asked.join(" and ")}: keep those of one renderer`);
  if (asked[0] !== undefined) return asked[0];
  const files = new Set(listing.filter(({ type }) => type !== "directory").map(({ name }) => name));
  const isKustomization = kustomizationNames.some((name) => files.has(name));
  if (!files.has("Chart.yaml")) return isKustomization ? "kustomize" : "directory";
  if (!isKustomization) return "helm";
  throw refusal(path, "holds a Chart.yaml and a kustomization: say which one is meant, by `helm: {}` or `kustomize: {}`");
}
