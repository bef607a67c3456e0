import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import type { Source } from "../../lib/source/source.ts";
import { commit, git } from "./repositories.ts";

/** One adapter with a repository behind it. */
export interface ContractSubject {
  /** The bare repository that the adapter's answers come from. */
  readonly repository: string;
  /** Called after the commits are made. */
  open(): Promise<Source>;
  close(): Promise<void>;
}

const submodule = { sha1: "5".repeat(40), sha256: "5".repeat(64) };
const absent = { sha1: "1".repeat(40), sha256: "1".repeat(64) };
const binary = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7) % 256);
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** What every source must do, whatever it reads from. */
export function sourceContract(adapter: string, start: () => Promise<ContractSubject>, format: "sha1" | "sha256" = "sha1"): void {
  describe(`source contract: ${adapter}`, () => {
    let subject: ContractSubject;
    let source: Source;
    let first = "";
    let newest = "";

    before(async () => {
      subject = await start();
      first = await commit(subject.repository, { "README.md": "one\n", "apps/shop/gone.yaml": "kind: Gone\n" });
      newest = await commit(subject.repository, {
        "README.md": "two\n",
        "apps/shop/gone.yaml": null,
        "apps/shop/deployment.yaml": "kind: Deployment\n",
        "apps/shop/empty": "",
        "apps/shop/binary": binary,
        "apps/shop/run.sh": { mode: "100755", body: "#!/bin/sh\n" },
        "apps/shop/link": { mode: "120000", body: "../../README.md" },
        "apps/link": { mode: "120000", body: "shop" },
        "apps/vendored": { submodule: submodule[format] },
        "apps/shop.yaml": "kind: List\n",
        "apps/grün.yaml": "kind: Namespace\n",
      });
      await commit(subject.repository, { "README.md": "other\n" }, { branch: "main-2" });
      await commit(subject.repository, { "README.md": "nested\n" }, { branch: "team/feature" });
      source = await subject.open();
    });
    after(() => subject.close());

    it("the head of a branch is its newest commit", async () => {
      assert.equal(await source.head("main"), newest);
      assert.equal(await source.head("team/feature"), await git(subject.repository, "rev-parse", "team/feature"));
    });

    it("an absent branch has no head, also where others begin with its name", async () => {
      assert.equal(await source.head("absent"), undefined);
      assert.equal(await source.head("mai"), undefined);
      assert.equal(await source.head("team"), undefined);
    });

    it("a branch name that could leave its place is refused", async () => {
      for (const name of ["../../config", "a b", "a\nb", "-x", "", "a..b"]) {
        await assert.rejects(source.head(name), (error) => isDriftlessError(error, "config"), name);
      }
    });

    it("a commit that is no longer a head opens by its id, with what it had then", async () => {
      const tree = await source.open(first);
      const readme = await tree.lookup("README.md");
      assert.equal(tree.commit, first);
      assert.equal(text((await tree.read([readme!.oid])).get(readme!.oid)), "one\n");
      assert.equal((await tree.lookup("apps/shop/gone.yaml"))?.type, "file");
    });

    it("a commit that the repository does not have is a source error", async () => {
      await assert.rejects(
        source.open(absent[format]),
        (error) => isDriftlessError(error, "source") && error.message.includes(absent[format]),
      );
      await assert.rejects(source.open("HEAD"), (error) => isDriftlessError(error, "source"));
    });

    it("a tree or a blob does not open as a commit", async () => {
      const tree = await source.open(newest);
      const root = await tree.lookup("");
      await assert.rejects(source.open(root!.oid), (error) => isDriftlessError(error, "source"));
    });

    it("a path gives its entry, and nothing where nothing is", async () => {
      const tree = await source.open(newest);
      assert.deepEqual(await tree.lookup(""), {
        name: "",
        oid: await git(subject.repository, "rev-parse", `${newest}^{tree}`),
        type: "directory",
      });
      assert.deepEqual(await tree.lookup("apps/shop"), {
        name: "shop",
        oid: await git(subject.repository, "rev-parse", `${newest}:apps/shop`),
        type: "directory",
      });
      assert.equal((await tree.lookup("apps/shop/deployment.yaml"))?.type, "file");
      assert.equal((await tree.lookup("apps/grün.yaml"))?.name, "grün.yaml");
      for (const path of [
        "nothing",
        "apps/shop/gone.yaml",
        "README.md/x",
        "apps/",
        "apps//shop",
        "/apps",
        "apps/../README.md",
        ".",
      ]) {
        assert.equal(await tree.lookup(path), undefined, path);
      }
    });

    it("a symbolic link is reported and never followed", async () => {
      const tree = await source.open(newest);
      const link = await tree.lookup("apps/link");
      assert.equal(link?.type, "symlink");
      assert.equal(await tree.lookup("apps/link/deployment.yaml"), undefined);
      assert.equal(text((await tree.read([link.oid])).get(link.oid)), "shop");
    });

    it("a folder lists in Git's order: executables are files, submodules stand as such", async () => {
      const tree = await source.open(newest);
      const apps = await tree.lookup("apps");
      const shop = await tree.lookup("apps/shop");
      assert.deepEqual(
        (await tree.list(apps!.oid)).map(({ name, type }) => [name, type]),
        [
          ["grün.yaml", "file"],
          ["link", "symlink"],
          ["shop.yaml", "file"],
          ["shop", "directory"],
          ["vendored", "submodule"],
        ],
      );
      assert.deepEqual(
        (await tree.list(shop!.oid)).map(({ name, type }) => [name, type]),
        [
          ["binary", "file"],
          ["deployment.yaml", "file"],
          ["empty", "file"],
          ["link", "symlink"],
          ["run.sh", "file"],
        ],
      );
    });

    it("bodies come byte by byte as they were committed", async () => {
      const tree = await source.open(newest);
      const shop = await tree.lookup("apps/shop");
      const entries = new Map((await tree.list(shop!.oid)).map(({ name, oid }) => [name, oid]));
      const bodies = await tree.read([...entries.values(), ...entries.values()]);
      assert.equal(bodies.size, 5);
      assert.deepEqual(Buffer.from(bodies.get(entries.get("binary")!)!), Buffer.from(binary));
      assert.equal(text(bodies.get(entries.get("deployment.yaml")!)), "kind: Deployment\n");
      assert.equal(bodies.get(entries.get("empty")!)!.length, 0);
      assert.equal((await tree.read([])).size, 0);
    });

    it("a missing blob is a source error, though others are there", async () => {
      const tree = await source.open(newest);
      const readme = await tree.lookup("README.md");
      for (const wrong of [absent[format], submodule[format], "../../config"]) {
        await assert.rejects(tree.read([readme!.oid, wrong]), (error) => isDriftlessError(error, "source"), wrong);
      }
    });

    it("a folder is no body, and a file is no folder", async () => {
      const tree = await source.open(newest);
      const readme = await tree.lookup("README.md");
      const apps = await tree.lookup("apps");
      await assert.rejects(tree.read([apps!.oid]), (error) => isDriftlessError(error, "source"));
      await assert.rejects(tree.list(readme!.oid), (error) => isDriftlessError(error, "source"));
    });

    it("a call that was stopped before it began reads nothing", async () => {
      const signal = AbortSignal.abort(new Error("deadline"));
      await assert.rejects(source.open(await git(subject.repository, "rev-parse", "main-2"), { signal }));
    });
  });
}
