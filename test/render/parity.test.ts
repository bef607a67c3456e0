import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { canonicalJson } from "../../lib/model/json.ts";
import { findBinaries } from "../control-plane/binaries.ts";
import { corpora, corporaOnly, testRenderer } from "./helper.ts";
import { filesBelow, memoryTree } from "./tree.ts";

const run = promisify(execFile);
const renderer = await testRenderer();

/** Repository below the corpus, folder in it, number of objects. */
const overlays: readonly (readonly [string, string, number])[] = [
  ["argocd-example-apps", "kustomize-guestbook", 2],
  ["argocd-example-apps", "sock-shop", 29],
  ["argocd-example-apps", "pre-post-sync", 4],
  ["gitopsbook", "chapter-03/kustomize/base", 1],
  ["gitopsbook", "chapter-03/kustomize/envs/qa", 1],
  ["gitopsbook", "chapter-03/kustomize/envs/prod", 1],
  ["podinfo", "kustomize", 3],
  ["microservices-demo", "kustomize", 35],
  ["microservices-demo", "kustomize/tests/memorystore-with-all-components", 49],
  ["microservices-demo", "kustomize/tests/service-mesh-istio-with-all-components", 55],
  ["microservices-demo", "kustomize/tests/spanner-with-all-components", 49],
];

let found: Promise<string> | undefined;
let folder: string | undefined;
after(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function findKubectl(): Promise<string> {
  folder = await mkdtemp(path.join(tmpdir(), "driftless-parity-"));
  const assets = process.env["KUBEBUILDER_ASSETS"];
  const { kubectl } = await findBinaries({ folder, ...(assets === undefined ? {} : { assets }) });
  return kubectl;
}

for (const [repository, overlay, count] of overlays) {
  test(`${repository}/${overlay} renders as kubectl kustomize builds it`, corporaOnly, async () => {
    const root = path.join(corpora ?? "", "manifests", repository);
    const { objects } = await renderer.render({ tree: memoryTree(filesBelow(root)), path: overlay });
    found ??= findKubectl();
    const { stdout } = await run(await found, ["kustomize", path.join(root, overlay)], { maxBuffer: 1 << 26, env: {} });
    const documents = stdout.split(/^---\n/m);
    assert.deepEqual(objects.map(canonicalJson), await readWithHelper(documents));
    assert.equal(objects.length, count);
  });
}

/** kubectl prints YAML: read as a plain folder with one file for each object, so that their order is kept. */
async function readWithHelper(documents: readonly string[]): Promise<readonly string[]> {
  const name = (index: number): string => `printed/${String(index).padStart(4, "0")}.yaml`;
  const tree = memoryTree(Object.fromEntries(documents.map((text, index) => [name(index), text])));
  const { objects } = await renderer.render({ tree, path: "printed" });
  return objects.map(canonicalJson);
}
