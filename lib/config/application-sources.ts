import type { ApplicationSource, KustomizeOptions } from "../model/application-source.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import type { source } from "./source-schema.ts";

type WrittenSource = ValueOf<typeof source>;
type WrittenSources = Omit<WrittenSource, "ref"> & { readonly sources?: readonly WrittenSource[] };

/** What an application's keys say about where its objects come from; `repository` is that of the file. */
export function sourcesOf(written: WrittenSources, repository: string): readonly ApplicationSource[] {
  return (written.sources ?? [written]).map((source) => sourceOf(source, repository));
}

function sourceOf(written: WrittenSource, repository: string): ApplicationSource {
  const { chart, path, ref, directory, kustomize, helm } = written;
  const options = {
    ...(directory === undefined ? {} : { directory }),
    ...(kustomize === undefined ? {} : { kustomize: kustomizeOf(kustomize) }),
    ...(helm === undefined ? {} : { helm }),
  };
  if (chart !== undefined)
    return { kind: "chart", chart: { ...chart, repository: chart.repository.replace(/\/+$/, "") }, ...options };
  return {
    kind: "git",
    repository: written.repository ?? repository,
    targetRevision: written.targetRevision,
    ...(path === undefined ? {} : { path: normalPath(path) }),
    ...(ref === undefined ? {} : { ref }),
    ...options,
  };
}

function kustomizeOf(written: NonNullable<WrittenSource["kustomize"]>): KustomizeOptions {
  const patches = written.patches.map(({ patch, target }) => (Object.keys(target).length === 0 ? { patch } : { patch, target }));
  return { ...written, patches };
}

/** `./overlays/qa/` is `overlays/qa`; `.` is "". */
function normalPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "." && part !== "")
    .join("/");
}

export interface SourceCheck {
  /** Of the application: `applications[2]`. */
  readonly path: string;
  readonly isGiven: (path: string) => boolean;
  readonly add: (path: string, message: string) => void;
}

const sourceKeys = ["repository", "targetRevision", "directory", "kustomize", "helm"] as const;

/** What the schema cannot say about sources: keys that exclude each other, names that lead nowhere. */
export function checkSources(written: Partially<WrittenSources>, { path, isGiven, add }: SourceCheck): void {
  const listed = isGiven(`${path}.sources`);
  if (listed) {
    for (const key of sourceKeys) {
      if (isGiven(`${path}.${key}`)) add(`${path}.${key}`, 'stands beside "sources": write it into the source that it is for');
    }
  }
  const sources = listed ? (written.sources ?? []) : [written as Partially<WrittenSource>];
  const refs = new Set(sources.flatMap((source) => (source?.ref === undefined ? [] : [source.ref])));
  for (const [index, source] of sources.entries()) {
    const at = listed ? `${path}.sources[${index}]` : path;
    checkSource(source ?? {}, { path: at, listed, isGiven, add });
    checkValueFiles(source ?? {}, { path: at, refs, add });
    const first = sources.findIndex((other) => other?.ref !== undefined && other.ref === source?.ref);
    if (source?.ref !== undefined && first !== index)
      add(`${at}.ref`, `is the name of sources[${first}] already: names are unique`);
  }
  const isRendered = (source: Partially<WrittenSource> | undefined): boolean =>
    source?.ref === undefined || source.path !== undefined || source.chart !== undefined;
  if (listed && sources.length > 0 && !sources.some(isRendered))
    add(`${path}.sources`, "has no source that gives objects: add one with a path or a chart");
}

function checkSource(
  { repository }: Partially<WrittenSource>,
  { path, listed, isGiven, add }: SourceCheck & { readonly listed: boolean },
): void {
  if (repository !== undefined && /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/@]*@|^https?:\/\/[^/@]*@/i.test(repository)) {
    add(`${path}.repository`, "holds credentials: take them out of the URL, and renew them, for they are in Git's history");
  }
  const given = (key: string): boolean => isGiven(`${path}.${key}`);
  if (given("chart")) {
    // Beside an application's own chart the schema refuses a path already.
    for (const key of ["repository", "targetRevision", ...(listed ? ["path"] : []), "ref", "directory", "kustomize"]) {
      if (given(key)) add(`${path}.${key}`, 'stands beside "chart", which has no use for it: take it out');
    }
  } else if (listed && !given("path") && !given("ref")) {
    add(path, 'needs "path" (a folder to render), "chart", or "ref" (to lend its files to other sources)');
  }
  const renderers = ["directory", "kustomize", "helm"].filter(given);
  if (renderers.length > 1)
    add(`${path}.${renderers[1]}`, `stands beside "${renderers[0]}": a folder is rendered in one way, keep one of them`);
}

function checkValueFiles(
  source: Partially<WrittenSource>,
  { path, refs, add }: { readonly path: string; readonly refs: ReadonlySet<string>; readonly add: SourceCheck["add"] },
): void {
  for (const [index, file] of (source.helm?.valueFiles ?? []).entries()) {
    const name = /^\$([^/]+)(?:\/|$)/.exec(file ?? "")?.[1];
    const at = `${path}.helm.valueFiles[${index}]`;
    if (name !== undefined && !refs.has(name)) add(at, `names $${name}, and no source has "ref: ${name}"`);
    else if (name === undefined && source.chart !== undefined && file !== undefined)
      add(at, "a chart of a repository lends no value files: put them into a repository, and name them by $REF/PATH");
  }
}
