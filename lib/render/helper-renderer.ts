import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { parseJson } from "../model/json.ts";
import { isManifest, type Manifest } from "../model/resource.ts";
import type { TreeEntry } from "../model/tree.ts";
import { type Log, silentLog } from "../telemetry/log.ts";
import { type CommitEntries, kustomizationNames, openCommitEntries, refuseEntry } from "./commit-entries.ts";
import { HelperProcess } from "./helper-process.ts";
import type { FoundEntry, HelperLine, HelperRequest } from "./helper-protocol.ts";
import type { Rendered, Renderer, RenderRequest } from "./renderer.ts";

export interface HelperRendererDeps {
  /** Path of the helper's binary (built from `lib/render/helper`). */
  readonly helper: string;
  /** Longest time that one render may compute, in milliseconds; fetching its files is not counted. Default 30,000. */
  readonly timeoutMs?: number;
  readonly log?: Log;
}

/** Enough to keep two processors busy, few enough that a slow render does not use up the others' time. */
const concurrency = 8;

const manifestName = /\.(?:ya?ml|json)$/i;

/** Renders by the Go helper, one child process for as long as it works. */
export function createHelperRenderer(deps: HelperRendererDeps): Renderer {
  const { helper, timeoutMs = 30_000, log = silentLog } = deps;
  const child = new HelperProcess({ helper, timeoutMs, concurrency, log });
  return {
    render: (request, options = {}) => render(child, request, options),
    close: () => child.close(),
  };
}

async function render(child: HelperProcess, { tree, path }: RenderRequest, options: CallOptions): Promise<Rendered> {
  options.signal?.throwIfAborted();
  const commit = openCommitEntries(tree, options);
  const chosen = await choose(commit, path);
  const request: HelperRequest = { op: "render", renderer: chosen.renderer, path, entries: chosen.entries };
  const answer = await child.run({ request, lookup: (paths) => commit.find(paths) }, options);
  if (answer.error !== undefined) throw renderError(answer.error, path);
  const inputs = { ...commit.inputs };
  // A kustomization says itself which files count; only a plain folder depends on its whole listing.
  if (chosen.renderer === "kustomize") delete inputs[path];
  return { renderer: chosen.renderer, objects: objectsOf(answer, path), inputs, warnings: answer.warnings ?? [] };
}

interface Choice {
  readonly renderer: Rendered["renderer"];
  readonly entries: readonly FoundEntry[];
}

async function choose(commit: CommitEntries, path: string): Promise<Choice> {
  const prefix = path === "" ? "" : `${path}/`;
  const listing = await commit.list(path);
  if (listing.some(({ name, type }) => kustomizationNames.includes(name) && type !== "directory")) {
    return { renderer: "kustomize", entries: await commit.find(kustomizationNames.map((name) => `${prefix}${name}`)) };
  }
  const files = listing.filter((entry) => isManifestFile(entry, `${prefix}${entry.name}`));
  const entries = await commit.readFiles(files.map(({ name, oid }) => ({ path: `${prefix}${name}`, oid })));
  return { renderer: "directory", entries };
}

/** Sub-folders, hidden files and other kinds of files are no manifests; a link or submodule in their place is a mistake. */
function isManifestFile(entry: TreeEntry, path: string): boolean {
  if (entry.type === "submodule" || (entry.type === "symlink" && manifestName.test(entry.name))) throw refuseEntry(path, entry);
  return entry.type === "file" && manifestName.test(entry.name) && !entry.name.startsWith(".");
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
  const place = error.line === undefined ? file : `${file}:${error.line}`;
  const facts = { file, ...(error.line === undefined ? {} : { line: error.line }) };
  return new DriftlessError("render", `${place}: ${error.message}`, { facts });
}
