import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type LocalGitServer, startGitServer } from "../../cli/local/git-server.ts";
import { type DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import { createSources } from "../../lib/source/sources.ts";
import { helperBinary, renderFolder } from "../render/helper.ts";
import { commit, type Files, git, temporaryFolder } from "./repositories.ts";

const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {id: "$Format:%H$"}\n`;

describe("what a commit holds is what is rendered", () => {
  let server: LocalGitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let renderer: Renderer;
  let made = 0;
  before(async () => {
    folder = await temporaryFolder();
    server = await startGitServer({ root: folder.path });
    renderer = createHelperRenderer({ helper: await helperBinary() });
  });
  after(async () => {
    await renderer.close();
    await server.close();
    await folder.remove();
  });

  async function aCommit(files: Files) {
    made += 1;
    const { url, path } = await server.createRepository(`shop-${made}`);
    const id = await commit(path, files);
    return { path, id, tree: await createSources().source(url).open(id) };
  }
  const names = (objects: readonly { readonly metadata: { readonly name?: unknown } }[]) =>
    objects.map(({ metadata }) => String(metadata.name)).toSorted();

  it("C5: files that .gitattributes keeps out of archives, or changes in them, render as they were committed", async () => {
    const { path, id, tree } = await aCommit({
      ".gitattributes": "app/** export-ignore\n*.yaml export-subst\n",
      "app/kustomization.yaml": "resources: [a.yaml, deep/b.yaml]\n",
      "app/a.yaml": configMap("a"),
      "app/deep/b.yaml": configMap("b"),
      "plain/c.yaml": configMap("c"),
    });
    const archived = await git(path, "archive", "--format=tar", id);
    assert.match(archived, new RegExp(`id: "${id}"`), "an archive changes what is in it");
    assert.doesNotMatch(archived, /a\.yaml|deep/, "and leaves the rest out");
    const kustomized = await renderFolder(renderer, { tree, path: "app" });
    assert.deepEqual(names(kustomized.objects), ["a", "b"]);
    const plain = await renderFolder(renderer, { tree, path: "plain" });
    assert.deepEqual(
      [...kustomized.objects, ...plain.objects].map((object) => object["data"]),
      [{ id: "$Format:%H$" }, { id: "$Format:%H$" }, { id: "$Format:%H$" }],
    );
  });

  const pointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
  const submodule = { submodule: "5".repeat(40) };
  const refused: readonly (readonly [string, Files, RegExp])[] = [
    ["an LFS pointer among plain files", { "app/a.yaml": configMap("a"), "app/b.yaml": pointer }, /^app\/b\.yaml: .*LFS pointer/],
    [
      "an LFS pointer that a kustomization names",
      { "app/kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "app/a.yaml": configMap("a"), "app/b.yaml": pointer },
      /app\/b\.yaml: .*LFS pointer/,
    ],
    [
      "a submodule below the path",
      { "app/a.yaml": configMap("a"), "app/vendor": submodule },
      /^app\/vendor: submodules are not read/,
    ],
    ["a submodule as the path", { app: submodule, "a.yaml": configMap("a") }, /^app: submodules are not read/],
    [
      "a submodule that a kustomization names",
      { "app/kustomization.yaml": "resources: [a.yaml, vendor]\n", "app/a.yaml": configMap("a"), "app/vendor": submodule },
      /app\/vendor: submodules are not read/,
    ],
  ];
  for (const [what, files, message] of refused) {
    it(`C6: ${what} is an error that names it, never a smaller render`, async () => {
      const { tree } = await aCommit(files);
      await assert.rejects(renderFolder(renderer, { tree, path: "app" }), (error: DriftlessError) => {
        assert.ok(isDriftlessError(error, "render") && !error.retryable, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
