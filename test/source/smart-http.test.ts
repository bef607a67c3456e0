import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type LocalGitServer, startGitServer } from "../../cli/local/git-server.ts";
import { isDriftlessError } from "../../lib/errors.ts";
import { createSources } from "../../lib/source/sources.ts";
import { commit, git, temporaryFolder } from "./repositories.ts";

/** Files that hardly compress, so that bytes on the wire tell which of them were sent. */
function manyFiles(count: number): { readonly [path: string]: string } {
  let state = 1;
  const line = (): string => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state.toString(36);
  };
  const body = (): string => Array.from({ length: 100 }, line).join("\n");
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`apps/app${Math.floor(index / 5)}/file${index}.yaml`, body()]),
  );
}

describe("partial fetch over smart HTTP", () => {
  let server: LocalGitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let url = "";
  let path = "";
  let head = "";

  before(async () => {
    folder = await temporaryFolder();
    server = await startGitServer({ root: folder.path });
    ({ url, path } = await server.createRepository("acme/fleet"));
    head = await commit(path, manyFiles(2000));
    await git(path, "gc", "--quiet");
  });
  after(async () => {
    await server.close();
    await folder.remove();
  });

  const counted = async <T>(act: () => Promise<T>): Promise<{ value: T; requests: number; bytes: number }> => {
    const { requests, bytesSent } = server;
    const value = await act();
    return { value, requests: server.requests - requests, bytes: server.bytesSent - bytesSent };
  };

  it("five files of 2,000 cost two requests after the head is known, and a small part of the repository's bytes", async () => {
    const packed = Number(/^size-pack: (\d+)$/m.exec(await git(path, "count-objects", "-v"))?.[1]) * 1024;
    const source = createSources().source(url);
    assert.equal(await source.head("main"), head);
    const { value, requests, bytes } = await counted(async () => {
      const tree = await source.open(head);
      const entries = await tree.list((await tree.lookup("apps/app200"))!.oid);
      return tree.read(entries.map(({ oid }) => oid));
    });
    assert.equal(value.size, 5);
    assert.equal(requests, 2);
    assert.ok(bytes * 8 < packed, `${bytes} bytes of a pack of ${packed}`);
  });

  it("a commit that was opened before opens again without a request, and so do its bodies", async () => {
    const source = createSources().source(url);
    const open = async () => {
      const tree = await source.open(head);
      const { oid } = (await tree.lookup("apps/app7/file35.yaml"))!;
      return (await tree.read([oid])).get(oid);
    };
    const first = await open();
    const again = await counted(open);
    assert.deepEqual(again.value, first);
    assert.equal(again.requests, 0);
  });

  it("a commit near the one opened last costs its changed folders only, and reads the same as when opened alone", async () => {
    const repository = await server.createRepository("acme/near");
    const old = await commit(repository.path, manyFiles(1000));
    const near = await commit(repository.path, {
      "apps/app3/file15.yaml": "changed\n",
      "apps/app9": null,
      "new/deep/file.yaml": "new\n",
    });
    const source = createSources().source(repository.url);
    const whole = await counted(() => source.open(old));
    const changed = await counted(() => source.open(near));
    const alone = await createSources().source(repository.url).open(near);
    assert.equal(changed.requests, 1);
    assert.ok(changed.bytes * 4 < whole.bytes, `${changed.bytes} bytes after ${whole.bytes}`);
    for (const place of ["", "apps", "apps/app3", "apps/app100", "new/deep"]) {
      const { oid } = (await alone.lookup(place))!;
      assert.deepEqual(await changed.value.list(oid), await alone.list(oid), place);
    }
    assert.equal(await changed.value.lookup("apps/app9"), undefined);
  });

  it("a server without filters sends the bodies with the commit, so that reading asks for nothing more", async () => {
    const repository = await server.createRepository("acme/plain");
    await git(repository.path, "config", "uploadpack.allowFilter", "false");
    const old = await commit(repository.path, manyFiles(50));
    const newest = await commit(repository.path, { "apps/app1/file5.yaml": "changed\n" });
    const source = createSources().source(repository.url);
    for (const id of [old, newest]) {
      const tree = await source.open(id);
      const { oid } = (await tree.lookup("apps/app1/file5.yaml"))!;
      const { value, requests } = await counted(() => tree.read([oid]));
      assert.equal(requests, 0);
      assert.equal(
        Buffer.from(value.get(oid)!).toString(),
        await git(repository.path, "cat-file", "blob", oid).then((text) => (id === newest ? `${text}\n` : text)),
      );
    }
  });

  it("a cache too small for one folder changes what is sent, never what is read", async () => {
    const source = createSources({ cacheBytes: 2000 }).source(url);
    const tree = await source.open(head);
    const entries = await tree.list((await tree.lookup("apps/app11"))!.oid);
    const bodies = await tree.read(entries.map(({ oid }) => oid));
    for (const { oid } of entries) {
      assert.equal(Buffer.from(bodies.get(oid)!).toString(), await git(path, "cat-file", "blob", oid));
    }
    assert.equal((await source.open(head)).commit, head);
  });

  it("bodies of one repository are not given to another that only knows their ids", async () => {
    const secret = await server.createRepository("acme/secret");
    const id = await commit(secret.path, { "secret.yaml": "only here\n" });
    const sources = createSources();
    const tree = await sources.source(secret.url).open(id);
    const { oid } = (await tree.lookup("secret.yaml"))!;
    await tree.read([oid]);
    const other = await sources.source(url).open(head);
    await assert.rejects(other.read([oid]), (error) => isDriftlessError(error, "source"));
  });

  it("C4: a pack beyond a limit is refused before it is unpacked", async () => {
    const repository = await server.createRepository("acme/bomb");
    const id = await commit(repository.path, { "zeros.yaml": new Uint8Array(8 * 1024 * 1024), "small.yaml": "small\n" });
    for (const limits of [{ expandedBytes: 1024 * 1024 }, { packBytes: 1024 }, { objects: 0 }]) {
      const source = createSources({ limits }).source(repository.url);
      const read = async () => {
        const tree = await source.open(id);
        return tree.read([(await tree.lookup("zeros.yaml"))!.oid]);
      };
      await assert.rejects(
        read(),
        (error) => isDriftlessError(error, "source") && !error.retryable && /refused/.test(error.message),
      );
    }
  });
});
