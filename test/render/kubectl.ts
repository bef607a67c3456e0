import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { canonicalJson } from "../../lib/model/json.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import { findBinaries } from "../control-plane/binaries.ts";
import { renderFolder } from "./helper.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const run = promisify(execFile);

/** The real thing: `kubectl kustomize` of a folder on disk. */
export interface KubectlKustomize {
  /** Objects as canonical JSON, in the order printed. Rejects when kubectl does. */
  build(folder: string): Promise<readonly string[]>;
  /** The same of files that are written to disk first, symbolic links as such. */
  buildFiles(files: TreeFiles, folder: string): Promise<readonly string[]>;
}

/** Call it while a test file is loaded: what it leaves is removed after that file's tests. */
export function kubectlKustomize(renderer: Renderer): KubectlKustomize {
  let work: Promise<{ readonly folder: string; readonly kubectl: string }> | undefined;
  let checkouts = 0;
  after(async () => {
    if (work !== undefined) await rm((await work).folder, { recursive: true, force: true });
  });
  const prepare = async (): Promise<{ readonly folder: string; readonly kubectl: string }> => {
    const folder = await mkdtemp(path.join(tmpdir(), "driftless-kubectl-"));
    const assets = process.env["KUBEBUILDER_ASSETS"];
    const { kubectl } = await findBinaries({ folder: path.join(folder, "bin"), ...(assets === undefined ? {} : { assets }) });
    return { folder, kubectl };
  };
  const build = async (folder: string): Promise<readonly string[]> => {
    work ??= prepare();
    const { kubectl } = await work;
    const { stdout } = await run(kubectl, ["kustomize", folder], { maxBuffer: 1 << 26, env: {} });
    return readPrinted(renderer, stdout.split(/^---\n/m));
  };
  return {
    build,
    async buildFiles(files, folder) {
      work ??= prepare();
      checkouts += 1;
      const checkout = path.join((await work).folder, `checkout-${checkouts}`);
      await writeCheckout(checkout, files);
      return build(path.join(checkout, folder));
    },
  };
}

/** kubectl prints YAML: read as a plain folder with one file for each object, so that their order is kept. */
async function readPrinted(renderer: Renderer, documents: readonly string[]): Promise<readonly string[]> {
  const name = (index: number): string => `printed/${String(index).padStart(4, "0")}.yaml`;
  const tree = memoryTree(Object.fromEntries(documents.map((text, index) => [name(index), text])));
  const { objects } = await renderFolder(renderer, { tree, path: "printed" });
  return objects.map(canonicalJson);
}

async function writeCheckout(checkout: string, files: TreeFiles): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(checkout, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (typeof content === "object" && "link" in content) await symlink(content.link, file);
    else if (typeof content === "string" || content instanceof Uint8Array) await writeFile(file, content);
  }
}
