import type { GitSource, HelmOptions } from "../model/application-source.ts";
import { isBelow } from "./chart-files.ts";
import type { CommitEntries } from "./commit-entries.ts";
import type { FoundEntry } from "./helper-protocol.ts";
import { refusal } from "./refusal.ts";
import type { JobRequest } from "./source-job.ts";

/** The chart's own folder; absent for a chart of a chart repository. */
export interface ValueFilesHome {
  readonly path: string;
  readonly commit: CommitEntries;
}

interface Place {
  readonly commit: CommitEntries;
  readonly path: string;
  /** The folder whose tree id is an input already. */
  readonly covered?: string;
}

/** Reads value files in order, from the chart's repository or from one that a source of the same application names. */
export async function readValueFiles(
  { valueFiles, ignoreMissingValueFiles }: HelmOptions,
  { request, home }: { readonly request: JobRequest; readonly home?: ValueFilesHome },
): Promise<readonly FoundEntry[]> {
  const entries: FoundEntry[] = [];
  for (const name of valueFiles) {
    const entry = await readValueFile(name, placeOf(name, { request, ...(home ? { home } : {}) }));
    if (entry !== undefined) entries.push(entry);
    else if (!ignoreMissingValueFiles) {
      throw refusal(name, "the value file does not exist: correct its path, or set ignoreMissingValueFiles");
    }
  }
  return entries;
}

async function readValueFile(name: string, { commit, path, covered }: Place): Promise<FoundEntry | undefined> {
  const known = new Set(Object.keys(commit.inputs));
  const found = await commit.find([path]);
  if (covered !== undefined) {
    for (const input of [path, ...found.map((entry) => entry.path)]) {
      if (isBelow(covered, input) && !known.has(input)) commit.forget(input);
    }
  }
  if (found.some(({ type }) => type === "directory")) throw refusal(name, "the value file is a folder: name a file");
  const file = found.find(({ type }) => type === "file");
  return file && { ...file, path };
}

function placeOf(name: string, { request, home }: { readonly request: JobRequest; readonly home?: ValueFilesHome }): Place {
  const [, ref, rest] = /^\$([^/]+)\/(.+)$/.exec(name) ?? [];
  if (ref !== undefined && rest !== undefined) {
    return { commit: request.commitOf(lender(name, ref, request)), path: normalPath(name, rest.split("/"), "its repository") };
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(name)) throw refusal(name, "value files are not fetched: put the file into a repository");
  if (name.startsWith("/") || name.startsWith("$")) {
    throw refusal(name, "a value file is named from the chart's folder, or $REF/PATH from the root of another source");
  }
  if (home === undefined) throw refusal(name, "a chart of a chart repository takes value files of other sources only: $REF/PATH");
  const { path, commit } = home;
  const inside = normalPath(name, name.split("/"), "the chart's folder: give a source a `ref`, and name the file by $REF/PATH");
  return { commit, path: path === "" ? inside : `${path}/${inside}`, covered: path };
}

function lender(name: string, ref: string, { render }: JobRequest): GitSource {
  for (const { source } of render.sources) if (source.kind === "git" && source.ref === ref) return source;
  throw refusal(name, `the application has no source with "ref: ${ref}"`);
}

function normalPath(name: string, parts: readonly string[], limit: string): string {
  const path: string[] = [];
  for (const part of parts) {
    if (part === "..") {
      if (path.pop() === undefined) throw refusal(name, `the value file lies outside of ${limit}`);
    } else if (part !== "." && part !== "") path.push(part);
  }
  if (path.length === 0) throw refusal(name, "the value file is a folder: name a file");
  return path.join("/");
}
