import path from "node:path";
import { after } from "node:test";
import type { GitSource, KustomizeOptions } from "../../lib/model/application-source.ts";
import type { CallOptions } from "../../lib/model/call.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { SourceTree } from "../../lib/model/tree.ts";
import { createHelperRenderer, type HelperRendererDeps } from "../../lib/render/helper-renderer.ts";
import type { Renderer, RendererKind, RenderRequest } from "../../lib/render/renderer.ts";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

const module = path.join(import.meta.dirname, "../../lib/render/helper");

/** The helper's binary, built when its sources changed; DRIFTLESS_RENDER_HELPER names one that is built already. */
export async function helperBinary(): Promise<string> {
  const built = process.env["DRIFTLESS_RENDER_HELPER"];
  if (built !== undefined) return built;
  return ensureGoBinary({
    name: "render-helper",
    module,
    about: "3 minutes",
    progress: (line) => process.stderr.write(`${line}\n`),
  });
}

/** A renderer that is closed when the tests of the calling file are through. */
export async function testRenderer(options: Omit<HelperRendererDeps, "helper"> = {}): Promise<Renderer> {
  const renderer = createHelperRenderer({ helper: await helperBinary(), ...options });
  after(() => renderer.close());
  return renderer;
}

export const corpora = process.env["DRIFTLESS_CORPORA"];

/** For tests that need the corpora: says why they are skipped. */
export const corporaOnly = corpora === undefined ? { skip: "DRIFTLESS_CORPORA names no folder" } : {};

/** One folder of Git and how it is rendered. */
export interface FolderToRender extends Partial<Omit<RenderRequest, "sources">> {
  readonly tree: SourceTree;
  readonly path: string;
  readonly source?: Partial<GitSource>;
}

/** What a render of one folder gave. */
export interface RenderedFolder {
  readonly renderer: RendererKind | undefined;
  readonly objects: readonly Manifest[];
  readonly inputs: { readonly [path: string]: string };
  readonly warnings: readonly string[];
}

/** Renders one folder of one repository. */
export async function renderFolder(
  renderer: Renderer,
  { tree, path, source, ...request }: FolderToRender,
  options: CallOptions = {},
): Promise<RenderedFolder> {
  const git: GitSource = { kind: "git", repository: "https://git.example/shop", targetRevision: "main", path, ...source };
  const { renderers, inputs, ...rendered } = await renderer.render(
    { application: "shop", namespace: "", remoteBases: [], sources: [{ source: git, tree }], ...request },
    options,
  );
  return { ...rendered, renderer: renderers[0], inputs: inputs.repositories[0]?.paths ?? {} };
}

/** Lays nothing over a kustomization. */
export const noKustomizeOptions: KustomizeOptions = {
  images: [],
  namePrefix: "",
  nameSuffix: "",
  namespace: "",
  commonLabels: {},
  commonAnnotations: {},
  replicas: [],
  components: [],
  patches: [],
};
