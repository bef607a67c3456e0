import { DriftlessError } from "../errors.ts";
import type { ChartSource, GitSource, RepositoryInputs } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import { type JsonValue, parseJson } from "../model/json.ts";
import { displayRef, isManifest, type Manifest, refOf, resourceKey } from "../model/resource.ts";
import { branchKey } from "../plan/affected.ts";
import { type Log, silentLog } from "../telemetry/log.ts";
import { type CommitEntries, openCommitEntries } from "./commit-entries.ts";
import type { Decryption } from "./decryption.ts";
import { directoryJob } from "./directory-job.ts";
import { chartJob, helmJob } from "./helm-job.ts";
import { HelperProcess } from "./helper-process.ts";
import { fileEntry, type HelperLine } from "./helper-protocol.ts";
import { kustomizeJob } from "./kustomize-job.ts";
import type { OpenRemote } from "./remote-bases.ts";
import type { Rendered, Renderer, RenderRequest } from "./renderer.ts";
import { chooseRenderer, type FetchCharts, type JobRequest, type SourceJob } from "./source-job.ts";

export interface HelperRendererDeps {
  /** Path of the helper's binary (built from `lib/render/helper`). */
  readonly helper: string;
  /** Longest time that one render may compute, in milliseconds; fetching its files is not counted. Default 30,000. */
  readonly timeoutMs?: number;
  /** Keys for files that are encrypted with SOPS; without any, such a file is an error. */
  readonly decryption?: Decryption;
  /** Opens one commit of a repository that Kustomize names as a remote base; without it they are all refused. */
  readonly openRemote?: OpenRemote;
  /** Fetches charts of chart repositories; without it they are refused. */
  readonly charts?: FetchCharts;
  readonly log?: Log;
}

/** Enough to keep two processors busy, few enough that a slow render does not use up the others' time. */
const concurrency = 8;

/** Also reads YAML that is no manifest, such as the index of a chart repository. */
export interface HelperRenderer extends Renderer {
  /** The documents of a file as Kubernetes reads them; throws `render` with the file and the line. */
  readonly decode: (yaml: Uint8Array, file: string, options?: CallOptions) => Promise<readonly JsonValue[]>;
}

/** Renders by the Go helper, one child process for as long as it works. */
export function createHelperRenderer(deps: HelperRendererDeps): HelperRenderer {
  const { helper, timeoutMs = 30_000, decryption = {}, log = silentLog } = deps;
  const child = new HelperProcess({ helper, timeoutMs, concurrency, decryption, log });
  return {
    render: (request, options = {}) => renderSources({ ...deps, child }, request, options),
    decode: (yaml, file, options = {}) => decode(child, { yaml, file }, options),
    close: () => child.close(),
  };
}

async function decode(
  child: HelperProcess,
  { yaml, file }: { readonly yaml: Uint8Array; readonly file: string },
  options: CallOptions,
): Promise<readonly JsonValue[]> {
  const request = { op: "decode", path: file, entries: [fileEntry({ path: file, content: yaml })] } as const;
  const answer = await child.run({ request, lookup: async () => [] }, options);
  if (answer.error !== undefined) throw renderError(answer.error, file);
  return (answer.objects ?? []).map(parseJson);
}

interface RenderDeps extends Pick<HelperRendererDeps, "openRemote" | "charts"> {
  readonly child: HelperProcess;
}

async function renderSources(deps: RenderDeps, render: RenderRequest, options: CallOptions): Promise<Rendered> {
  const { child, openRemote, charts } = deps;
  options.signal?.throwIfAborted();
  const commits = openCommits(render, options);
  const parts: RenderedPart[] = [];
  // One after the other: what a later source reads of a shared commit is fetched already.
  for (const { source } of render.sources) {
    const job = await jobFor({ source, render, commitOf: commits.of, openRemote, charts, options });
    if (job !== undefined) parts.push(await run({ child, project: render.project }, job, options));
  }
  return {
    renderers: parts.map(({ job }) => job.renderer),
    objects: withoutDuplicates(parts),
    inputs: {
      repositories: commits.inputs(),
      pinned: parts.flatMap(({ job }) => job.pinned ?? []),
      cluster: parts.find(({ job }) => job.cluster !== undefined)?.job.cluster ?? "",
    },
    warnings: parts.flatMap(({ warnings }) => warnings),
  };
}

interface Commits {
  readonly of: (source: GitSource) => CommitEntries;
  readonly inputs: () => readonly RepositoryInputs[];
}

/** Sources of one branch share what is read of it. */
function openCommits({ sources, refusalOf }: RenderRequest, options: CallOptions): Commits {
  const keyOf = ({ repository, targetRevision }: GitSource): string => branchKey(repository, targetRevision);
  const budget = { bytes: 0, entries: 0 };
  const homesOf = (key: string): readonly string[] =>
    sources.flatMap(({ source }) => (source.kind === "git" && keyOf(source) === key ? (source.path ?? []) : []));
  const opened = new Map<string, { readonly source: GitSource; readonly revision: string; readonly entries: CommitEntries }>();
  for (const { source, tree } of sources) {
    if (source.kind !== "git" || tree === undefined || opened.has(keyOf(source))) continue;
    const { repository } = source;
    const limits = refusalOf === undefined ? {} : { refusalOf: (path: string) => refusalOf({ repository, path }) };
    const entries = openCommitEntries(tree, { ...options, homes: homesOf(keyOf(source)), budget, ...limits });
    opened.set(keyOf(source), { source, revision: tree.commit, entries });
  }
  return {
    of(source) {
      const commit = opened.get(keyOf(source));
      if (commit === undefined) throw new DriftlessError("render", `${source.repository} was not opened`);
      return commit.entries;
    },
    inputs: () =>
      [...opened.values()].map(({ source: { repository, targetRevision }, revision, entries }) => ({
        repository,
        targetRevision,
        revision,
        paths: { ...entries.inputs },
      })),
  };
}

/** Undefined for a source that only lends its files to others. */
async function jobFor(request: JobRequest): Promise<SourceJob | undefined> {
  const { source } = request;
  if (source.kind === "chart") return chartJob({ ...request, source } satisfies JobRequest<ChartSource>);
  const { path } = source;
  if (path === undefined) return undefined;
  const commit = request.commitOf(source);
  const folder = { ...request, source, path, commit, listing: await commit.list(path) };
  const kind = chooseRenderer(source, folder);
  switch (kind) {
    case "directory":
      return directoryJob(folder);
    case "kustomize":
      return kustomizeJob(folder);
    case "helm":
      return helmJob(folder);
    default:
      return kind satisfies never;
  }
}

interface RenderedPart {
  readonly job: SourceJob;
  readonly objects: readonly Manifest[];
  readonly warnings: readonly string[];
}

async function run(
  { child, project }: { readonly child: HelperProcess; readonly project: string | undefined },
  job: SourceJob,
  options: CallOptions,
): Promise<RenderedPart> {
  const { request, lookup = async () => [] } = job;
  const answer = await child.run({ request, lookup, project }, options);
  if (answer.error !== undefined) throw renderError(answer.error, request.path);
  return { job, objects: objectsOf(answer, request.path), warnings: answer.warnings ?? [] };
}

/** The helper has held each source to this for itself. */
function withoutDuplicates(parts: readonly RenderedPart[]): readonly Manifest[] {
  const origins = new Map<string, number>();
  for (const [index, { objects }] of parts.entries()) {
    for (const object of objects) {
      const ref = refOf(object);
      const key = resourceKey(ref);
      const first = origins.get(key);
      if (first !== undefined && first !== index)
        throw new DriftlessError(
          "render",
          `${displayRef(ref)} comes from source ${first + 1} and from source ${index + 1}: remove one of the two`,
        );
      origins.set(key, index);
    }
  }
  return parts.flatMap(({ objects }) => objects);
}

function objectsOf(answer: HelperLine, path: string): readonly Manifest[] {
  return (answer.objects ?? []).map((text) => {
    const value = parseJson(text);
    if (!isManifest(value)) throw new DriftlessError("render", `${path}: the render helper gave something that is not an object`);
    return value;
  });
}

function renderError(error: NonNullable<HelperLine["error"]>, path: string): DriftlessError {
  const file = error.file ?? path;
  const named = file || "the repository's root";
  const place = error.line === undefined ? named : `${named}:${error.line}`;
  const facts = { file, ...(error.line === undefined ? {} : { line: error.line }) };
  return new DriftlessError("render", `${place}: ${error.message}`, { facts, retryable: error.retryable ?? false });
}
