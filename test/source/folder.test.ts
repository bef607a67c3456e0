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

  it("a look reads nothing but what it looks at", async () => {
    const tree = createFolderTree("/");
    assert.equal(tree.commit, "");
    assert.equal((await tree.lookup(""))?.type, "directory");
    assert.equal((await tree.lookup(`${folder.path.slice(1)}/apps/shop`))?.type, "directory");
    const { name, type } = (await tree.lookup(`${folder.path.slice(1)}/apps/shop/run.sh`))!;
    assert.deepEqual([name, type], ["run.sh", "file"]);
  });

  it("links are reported and never followed, and .git is not there", async () => {
    const tree = createFolderTree(folder.path);
    const apps = await tree.lookup("apps");
    assert.deepEqual(
      (await tree.list(apps!.oid)).map(({ name, type }) => [name, type]),
      [
        ["empty", "directory"],
        ["link", "symlink"],
        ["shop.yaml", "file"],
        ["shop", "directory"],
      ],
    );
    for (const path of [
      "apps/link/deployment.yaml",
      ".git",
      ".git/config",
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
    await assert.rejects(tree.read([join(folder.path, "absent")]), (error) => isDriftlessError(error, "source"));
  });

  it("a folder that is not there is a source error", async () => {
    await assert.rejects(
      createFolderTree("/nonexistent/folder").lookup(""),
      (error) => isDriftlessError(error, "source") && /ENOENT/.test(error.message),
    );
  });
});
