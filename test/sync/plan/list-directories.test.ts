import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { SourceTree } from "../../../lib/model/tree.ts";
import { listDirectories } from "../../../lib/sync/plan/list-directories.ts";

/** A commit with these folders, whose oids are their paths; counts the folders that are listed. */
function aTree(...folders: readonly string[]): { readonly tree: SourceTree; readonly listed: string[] } {
  const all = new Set(folders.flatMap((folder) => folder.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))));
  const below = Map.groupBy(all, (path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  const listed: string[] = [];
  const entry = (path: string) => ({ name: path.split("/").at(-1) ?? "", oid: `/${path}`, type: "directory" as const });
  const tree: SourceTree = {
    commit: "c1",
    lookup: async (path) => (path === "" || all.has(path) ? entry(path) : undefined),
    list: async (oid) => {
      const path = oid.slice(1);
      listed.push(path);
      return [
        ...(below.get(path) ?? []).map(entry),
        { name: "file.yaml", oid: "f", type: "file" },
        { name: "link", oid: "l", type: "symlink" },
      ];
    },
    read: async () => new Map(),
  };
  return { tree, listed };
}

const request = (include: readonly string[], exclude: readonly string[] = []) => ({
  repository: "r",
  targetRevision: "main",
  include,
  exclude,
});

suite("folders for a generator", () => {
  test("are those that a glob means and no exclusion does", async () => {
    const { tree, listed } = aTree("apps/web/base", "apps/api", "apps/old", "charts/x", ".github/workflows", "apps/.hidden");
    assert.deepEqual(await listDirectories(tree, request(["apps/*"], ["apps/old"])), ["apps/api", "apps/web"]);
    assert.deepEqual(listed, ["apps"]);
    assert.deepEqual(await listDirectories(tree, request(["apps/**"])), [
      "apps",
      "apps/api",
      "apps/old",
      "apps/web",
      "apps/web/base",
    ]);
    assert.deepEqual(await listDirectories(tree, request(["*/web", "charts/x"])), ["apps/web", "charts/x"]);
    assert.deepEqual(await listDirectories(tree, request(["*"])), ["apps", "charts"]);
    assert.deepEqual(await listDirectories(tree, request(["none/*"])), []);
  });

  test("are not looked for in more than twenty thousand", async () => {
    const { tree } = aTree(...Array.from({ length: 20_000 }, (_, n) => `a/f${n}`));
    await assert.rejects(listDirectories(tree, request(["a/*/x"])), { code: "source", message: /more than 20000 folders/ });
  });

  test("are not looked for in more by all lists of a file together", async () => {
    const { tree } = aTree(...Array.from({ length: 9_000 }, (_, n) => `a/f${n}`));
    const budget = { folders: 0 };
    for (const glob of ["a/*", "a/f*"]) assert.equal((await listDirectories(tree, request([glob]), { budget })).length, 9_000);
    await assert.rejects(listDirectories(tree, request(["a/*1"]), { budget }), {
      code: "source",
      message: /other lists included/,
    });
  });
});
