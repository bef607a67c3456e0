import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { createFolderTree } from "../../lib/source/folder.ts";
import { git, temporaryFolder } from "./repositories.ts";

describe("a folder as it stands on disk", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async () => {
    folder = await temporaryFolder();
    await git(folder.path, "init", "--quiet", "--initial-branch=main");
    await mkdir(join(folder.path, "apps/shop"), { recursive: true });
    await mkdir(join(folder.path, "apps/empty"), { recursive: true });
    await writeFile(join(folder.path, "apps/shop/deployment.yaml"), "kind: Deployment\n");
    await writeFile(join(folder.path, "apps/shop/run.sh"), "#!/bin/sh\n");
    await chmod(join(folder.path, "apps/shop/run.sh"), 0o755);
    await writeFile(join(folder.path, "apps/shop.yaml"), "kind: List\n");
    await symlink("shop", join(folder.path, "apps/link"));
    await git(folder.path, "add", ".");
  });
  after(() => folder.remove());

  it("ids are those that git gives, so folders compare with commits", async () => {
    const tree = createFolderTree(folder.path);
    const root = await git(folder.path, "write-tree");
    assert.deepEqual(await tree.lookup(""), { name: "", oid: root, type: "directory" });
    assert.equal((await tree.lookup("apps/shop"))?.oid, await git(folder.path, "rev-parse", `${root}:apps/shop`));
    assert.equal((await tree.lookup("apps/shop/run.sh"))?.oid, await git(folder.path, "rev-parse", `${root}:apps/shop/run.sh`));
    assert.equal(tree.commit, "");
  });

  it("links are reported and never followed, .git and empty folders are not there", async () => {
    const tree = createFolderTree(folder.path);
    const apps = await tree.lookup("apps");
    assert.deepEqual(
      (await tree.list(apps!.oid)).map(({ name, type }) => [name, type]),
      [
        ["link", "symlink"],
        ["shop.yaml", "file"],
        ["shop", "directory"],
      ],
    );
    for (const path of [
      "apps/link/deployment.yaml",
      ".git",
      ".git/config",
      "apps/empty",
      "../x",
      "apps/../apps",
      "absent",
      "apps/shop.yaml/x",
    ]) {
      assert.equal(await tree.lookup(path), undefined, path);
    }
  });

  it("bodies come by the ids that were looked up", async () => {
    const tree = createFolderTree(folder.path);
    const entries = await tree.list((await tree.lookup("apps"))!.oid);
    const { oid } = (await tree.lookup("apps/shop/deployment.yaml"))!;
    const link = entries.find(({ name }) => name === "link")!;
    const bodies = await tree.read([oid, link.oid]);
    assert.equal(Buffer.from(bodies.get(oid)!).toString(), "kind: Deployment\n");
    assert.equal(Buffer.from(bodies.get(link.oid)!).toString(), "shop");
    await assert.rejects(tree.read(["1".repeat(40)]), (error) => isDriftlessError(error, "source"));
  });

  it("a file that changes between look and read is an error, not another body", async () => {
    const tree = createFolderTree(folder.path);
    const { oid } = (await tree.lookup("apps/shop.yaml"))!;
    await writeFile(join(folder.path, "apps/shop.yaml"), "kind: Other\n");
    await assert.rejects(tree.read([oid]), (error) => isDriftlessError(error, "source") && error.retryable);
  });

  it("a folder with more files than a render may have is refused", async () => {
    await assert.rejects(createFolderTree(folder.path, { maxEntries: 3 }).lookup(""), /more than 3 files/);
  });

  it("a folder that is not there is a source error", async () => {
    await assert.rejects(
      createFolderTree("/nonexistent/folder").lookup(""),
      (error) => isDriftlessError(error, "source") && /ENOENT/.test(error.message),
    );
  });
});
