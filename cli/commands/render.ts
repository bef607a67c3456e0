import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { type GitSource, type HelmOptions, noHelmOptions } from "../../lib/model/application-source.ts";
import { stringifyJson } from "../../lib/model/json.ts";
import type { SourceTree, TreeEntry } from "../../lib/model/tree.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import type { RenderRequest, RenderSource } from "../../lib/render/renderer.ts";
import { createFolderTree } from "../../lib/source/folder.ts";
import { type Command, type Invocation, textOption, UsageError } from "../command.ts";
import { ensureRenderHelper } from "../local/binaries.ts";
import { localDecryption } from "../local/decryption.ts";
import { yamlText } from "../yaml-text.ts";

const help = `
The folder is read as it stands, committed or not; a Kustomize overlay may use anything in its repository, or anything on this machine
where the folder is in no repository.

For a chart, as \`helm template\` takes them; the hooks that only \`helm test\` would run are shown, and never applied:
  --helm-values FILE    a file of values, from the current folder; may stand several times, a later one wins
  --set NAME=VALUE      a value, over those of files; may stand several times
  --set-string NAME=VALUE  the same, as text whatever it looks like
  --release-name NAME   default release-name
  --namespace NAME      default default
  --kube-version VERSION  the version of Kubernetes that the chart is told
  --api-versions LIST   further API versions that it is told, separated by commas
  --skip-crds           without the chart's crds folder
`;

export const render: Command = {
  usage: "render DIR",
  summary: "the objects of a folder, as Driftless would apply them",
  help,
  options: {
    "helm-values": { type: "string", multiple: true },
    set: { type: "string", multiple: true },
    "set-string": { type: "string", multiple: true },
    "release-name": { type: "string" },
    namespace: { type: "string" },
    "kube-version": { type: "string" },
    "api-versions": { type: "string", multiple: true },
    "skip-crds": { type: "boolean" },
  },
  positionals: { least: 1, most: 1 },
  printsYaml: true,
  async run(invocation) {
    const { environment } = invocation;
    const request = await requestOf(invocation);
    const helper =
      environment["DRIFTLESS_RENDER_HELPER"] ?? (await ensureRenderHelper((line) => process.stderr.write(`${line}\n`)));
    const renderer = createHelperRenderer({ helper, decryption: localDecryption(environment) });
    try {
      const { objects, warnings } = await renderer.render(request).catch((error: unknown) => {
        throw fromFolder(error, request);
      });
      for (const warning of warnings) process.stderr.write(`warning: ${shortened(warning, request)}\n`);
      return { text: yamlText(objects), json: stringifyJson(objects) };
    } finally {
      await renderer.close();
    }
  },
};

async function requestOf(invocation: Invocation): Promise<RenderRequest> {
  const target = await folderAt(resolve(invocation.positionals[0] ?? ""));
  const root = repositoryRoot(target);
  const path = relative(root, target).split(sep).join("/");
  const lent = await Promise.all(listOption(invocation, "helm-values").map(valueFile));
  const helm = helmOptions(invocation, lent);
  const source: GitSource = { kind: "git", repository: root, targetRevision: "", path, ...(helm ? { helm } : {}) };
  return {
    // What `helm template DIR` takes.
    application: "release-name",
    namespace: textOption(invocation, "namespace") ?? "",
    sources: [{ source, tree: createFolderTree(root) }, ...lent.map(({ lender }) => lender)],
    remoteBases: [],
    testHooks: true,
  };
}

/** Outside of repositories, where paths count from the top of the disk, those below the folder itself count from there. */
function shortened(text: string, { sources: [first] }: RenderRequest): string {
  const { repository, path } = (first?.source ?? {}) as Partial<GitSource>;
  return dirname(repository ?? "") === repository && path ? text.replaceAll(`${path}/`, "") : text;
}

function fromFolder(error: unknown, request: RenderRequest): unknown {
  if (!isDriftlessError(error)) return error;
  return new DriftlessError(error.code, shortened(error.message, request), { cause: error, facts: error.facts });
}

/** Undefined when none is given: then the folder's content says how it is rendered. */
function helmOptions(invocation: Invocation, lent: readonly LentFile[]): HelmOptions | undefined {
  const given = ["helm-values", "set", "set-string", "release-name", "kube-version", "api-versions", "skip-crds"];
  if (!given.some((name) => invocation.values[name] !== undefined)) return undefined;
  const parameters = [
    ...listOption(invocation, "set").map((text) => ({ ...parameter("--set", text), forceString: false })),
    ...listOption(invocation, "set-string").map((text) => ({ ...parameter("--set-string", text), forceString: true })),
  ];
  return {
    ...noHelmOptions,
    releaseName: textOption(invocation, "release-name") ?? "",
    valueFiles: lent.map(({ name }) => name),
    parameters,
    kubeVersion: textOption(invocation, "kube-version") ?? "",
    apiVersions: listOption(invocation, "api-versions").flatMap((list) => list.split(",").filter((version) => version !== "")),
    skipCrds: invocation.values["skip-crds"] === true,
  };
}

function listOption({ values }: Invocation, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

function parameter(option: string, text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`${option} takes NAME=VALUE, not ${text}`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

interface LentFile {
  /** As a source's `valueFiles` name it. */
  readonly name: string;
  readonly lender: RenderSource;
}

/** A file of this machine as a repository of its own: it may lie anywhere, and may be a pipe. */
async function valueFile(file: string, index: number): Promise<LentFile> {
  const content = await readFile(resolve(file)).catch((cause: unknown) => {
    throw new DriftlessError("source", `${file} cannot be read: name a file of values, from the current folder`, { cause });
  });
  const name = basename(file);
  const ref = `values${index}`;
  const entry: TreeEntry = { name, oid: ref, type: "file" };
  const tree: SourceTree = {
    commit: "",
    lookup: async (path) => (path === name ? entry : undefined),
    list: async () => [entry],
    read: async (oids) => new Map(oids.map((oid) => [oid, content])),
  };
  const source: GitSource = { kind: "git", repository: file, targetRevision: ref, ref };
  return { name: `$${ref}/${name}`, lender: { source, tree } };
}

/** Where the folder really lies: no part of the way to it may be a link. */
async function folderAt(folder: string): Promise<string> {
  return realpath(folder).catch((cause: unknown) => {
    throw new DriftlessError("source", `${folder} cannot be read: name a folder`, { cause });
  });
}

/** The nearest folder above that is a Git repository; the whole disk when there is none, since a base may lie anywhere then. */
function repositoryRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git")) || dirname(at) === at) return at;
  }
}
