import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { canonicalJson } from "../../lib/model/json.ts";
import { corpora, corporaOnly, noKustomizeOptions, renderFolder, testRenderer } from "./helper.ts";
import { kubectlKustomize } from "./kubectl.ts";
import { filesBelow, memoryTree } from "./tree.ts";

const renderer = await testRenderer();
const kubectl = kubectlKustomize(renderer);

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

for (const [repository, overlay, count] of overlays) {
  test(`${repository}/${overlay} renders as kubectl kustomize builds it`, corporaOnly, async () => {
    const root = path.join(corpora ?? "", "manifests", repository);
    const { objects } = await renderFolder(renderer, { tree: memoryTree(filesBelow(root)), path: overlay });
    assert.deepEqual(objects.map(canonicalJson), await kubectl.build(path.join(root, overlay)));
    assert.equal(objects.length, count);
    const source = { kustomize: noKustomizeOptions };
    const laid = await renderFolder(renderer, { tree: memoryTree(filesBelow(root)), path: overlay, source });
    assert.deepEqual(laid.objects, objects, "options that say nothing change nothing");
  });
}
