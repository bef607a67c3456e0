import { createHash } from "node:crypto";
import { DriftlessError } from "../../lib/errors.ts";
import { gitSources } from "../../lib/model/application-source.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { SourceTree, TreeEntry } from "../../lib/model/tree.ts";
import { inputAt } from "../../lib/render/inputs.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import type { Sources } from "../../lib/source/source.ts";

export const fleetUrl = "https://git.example/acme/fleet.git";

/** What is wrong with a folder: its manifests cannot be rendered, a part of its tree is missing, or its host is away for once. */
export type Fault = "render" | "source" | "away";

/** Text by path; a folder's fault stands in its file `fault.yaml`. */
export type Files = Readonly<Record<string, string>>;

/** A repository with one branch, in memory: what is pushed is its head. */
export interface Fleet {
  readonly sources: Sources;
  /** Reads JSON manifests, one a file, and records what it read. */
  readonly renderer: Renderer;
  push(files: Files): void;
}

export function createFleet(): Fleet {
  let head: SourceTree | undefined;
  let pushes = 0;
  return {
    sources: {
      source: () => ({
        head: () => Promise.resolve(head?.commit),
        open: (commit) =>
          head?.commit === commit ? Promise.resolve(head) : Promise.reject(new DriftlessError("source", `no commit ${commit}`)),
      }),
    },
    renderer: { render: renderFolder, close: () => Promise.resolve() },
    push(files) {
      pushes += 1;
      head = treeOf(oidOf(`${pushes} ${JSON.stringify(files)}`), files);
    },
  };
}

function oidOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

function treeOf(commit: string, files: Files): SourceTree {
  const away = new Set<string>();
  const below = (folder: string) => Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
  const folderOid = (folder: string) =>
    oidOf(
      below(folder)
        .map((path) => `${path} ${files[path]}`)
        .join("\n"),
    );
  const folders = new Map(
    [...new Set(Object.keys(files).map((path) => path.split("/")[0] ?? ""))].map((name) => [folderOid(name), name]),
  );
  const texts = new Map(Object.values(files).map((text) => [oidOf(text), text]));
  const entry = (path: string): TreeEntry => ({
    name: path.split("/").at(-1) ?? "",
    oid: oidOf(files[path] ?? ""),
    type: "file",
  });
  return {
    commit,
    lookup(path) {
      if (files[path] !== undefined) return Promise.resolve(entry(path));
      return Promise.resolve(below(path).length === 0 ? undefined : { name: path, oid: folderOid(path), type: "directory" });
    },
    list: (oid) => Promise.resolve(below(folders.get(oid) ?? "").map(entry)),
    read(oids) {
      const found = oids.map((oid) => [oid, texts.get(oid) ?? ""] as const);
      if (found.some(([, text]) => text === "source")) return Promise.reject(new DriftlessError("source", "a blob is missing"));
      const isAway = found.find(([oid, text]) => text.startsWith("away") && !away.has(oid));
      if (isAway !== undefined) {
        away.add(isAway[0]);
        return Promise.reject(new DriftlessError("source", "the host is away", { retryable: true }));
      }
      return Promise.resolve(new Map(found.map(([oid, text]) => [oid, new TextEncoder().encode(text)])));
    },
  };
}

const renderFolder: Renderer["render"] = async ({ application, sources }) => {
  const [{ source, tree } = { source: undefined, tree: undefined }] = sources;
  const [git] = source === undefined ? [] : gitSources([source]);
  const folder = git?.path ?? "";
  const entry = await tree?.lookup(folder);
  if (git === undefined || tree === undefined || entry === undefined) {
    throw new DriftlessError("render", `${application} has no folder ${folder}`);
  }
  const listing = (await tree.list(entry.oid)).filter(({ name }) => name.endsWith(".yaml"));
  const bodies = await tree.read(listing.map(({ oid }) => oid));
  const texts = listing.map(({ oid }) => new TextDecoder().decode(bodies.get(oid)));
  if (texts.includes("render")) throw new DriftlessError("render", `${folder}/fault.yaml is no manifest`);
  const paths = Object.fromEntries([
    [`${folder}/`, await inputAt(tree, `${folder}/`)],
    ...listing.map(({ name, oid }) => [`${folder}/${name}`, oid]),
  ]);
  const { repository, targetRevision } = git;
  return {
    renderers: ["directory"],
    objects: texts.filter((text) => !text.startsWith("away")).map((text) => JSON.parse(text) as Manifest),
    inputs: { repositories: [{ repository, targetRevision, revision: tree.commit, paths }], pinned: [], cluster: "" },
    warnings: [],
  };
};
