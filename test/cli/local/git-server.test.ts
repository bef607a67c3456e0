import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type LocalGitServer, type PushedRef, startGitServer } from "../../../cli/local/git-server.ts";
import { lsRefsRequest } from "../../../lib/source/protocol.ts";
import { git, temporaryFolder } from "../../source/repositories.ts";

const zeros = "0".repeat(40);

async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries += 1) await setTimeout(10);
  assert.ok(holds(), what);
}

describe("the local Git server", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: LocalGitServer;
  const pushes: PushedRef[] = [];
  let failures = 0;
  let work = "";
  let url = "";

  before(async () => {
    folder = await temporaryFolder();
    server = await startGitServer({
      root: join(folder.path, "repositories"),
      onPush: (push) => {
        pushes.push(push);
        if (failures > 0) {
          failures -= 1;
          throw new Error("no queue");
        }
      },
    });
    ({ url } = await server.createRepository("acme/shop"));
    work = join(folder.path, "work");
    await git(folder.path, "clone", "--quiet", url, work);
  });
  after(async () => {
    await server.close();
    await folder.remove();
  });

  const commit = async (file: string, body: string): Promise<string> => {
    await writeFile(join(work, file), body);
    await git(work, "add", ".");
    await git(work, "commit", "--quiet", "-m", file);
    return git(work, "rev-parse", "HEAD");
  };
  /** Pushes and gives what the server reported of it. */
  const pushed = async (count: number, ...args: readonly string[]): Promise<readonly PushedRef[]> => {
    const start = pushes.length;
    await git(work, "push", "--quiet", "origin", ...args);
    await eventually(() => pushes.length >= start + count, `${count} refs reported`);
    return pushes.slice(start);
  };

  it("a push of a new branch, an update, a forced update and a deletion are each reported for what they are", async () => {
    const repository = "acme/shop";
    const one = await commit("one.txt", "1\n");
    assert.deepEqual(await pushed(1, "HEAD:main"), [
      { repository, url, ref: "refs/heads/main", before: zeros, after: one, forced: false, deleted: false },
    ]);
    const two = await commit("two.txt", "2\n");
    assert.deepEqual(await pushed(1, "HEAD:main"), [
      { repository, url, ref: "refs/heads/main", before: one, after: two, forced: false, deleted: false },
    ]);
    await git(work, "reset", "--quiet", "--hard", one);
    const other = await commit("other.txt", "other\n");
    assert.deepEqual(await pushed(1, "--force", "HEAD:main"), [
      { repository, url, ref: "refs/heads/main", before: two, after: other, forced: true, deleted: false },
    ]);
    const both = await pushed(2, "HEAD:feature/a", `${one}:refs/tags/v1`);
    assert.deepEqual(
      both.map(({ ref, after: to }) => [ref, to]),
      [
        ["refs/heads/feature/a", other],
        ["refs/tags/v1", one],
      ],
    );
    assert.deepEqual(await pushed(1, "--delete", "feature/a"), [
      { repository, url, ref: "refs/heads/feature/a", before: other, after: zeros, forced: false, deleted: true },
    ]);
  });

  it("a refused push is not reported, and a push that changes nothing is none", async () => {
    const reported = pushes.length;
    await git(work, "push", "--quiet", "origin", "HEAD:main");
    await git(work, "checkout", "--quiet", "--orphan", "unrelated");
    await commit("unrelated.txt", "x\n");
    await assert.rejects(git(work, "push", "--quiet", "origin", "HEAD:main"));
    await git(work, "checkout", "--quiet", "-B", "main", "origin/main");
    const [next] = await pushed(1, "HEAD:refs/heads/after-refusal");
    assert.equal(next?.ref, "refs/heads/after-refusal");
    assert.equal(pushes.length, reported + 1);
  });

  it("a push larger than Git sends in one piece arrives whole", async () => {
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * index * 31 + (index >> 3)) % 251)).toString(
      "latin1",
    );
    const large = await commit("large.bin", body);
    await pushed(1, "HEAD:large");
    const clone = join(folder.path, "clone");
    await git(folder.path, "clone", "--quiet", "--branch", "large", url, clone);
    assert.equal(await git(clone, "rev-parse", "HEAD"), large);
    assert.equal(await git(clone, "status", "--porcelain"), "");
  });

  it("a report that fails breaks neither the push nor the reports after it", async () => {
    failures = 1;
    const reported = await pushed(2, "HEAD:refs/heads/fails", "HEAD:refs/heads/works");
    assert.deepEqual(
      reported.map(({ ref }) => ref),
      ["refs/heads/fails", "refs/heads/works"],
    );
  });

  it("simultaneous pushes to one repository are told apart", async () => {
    const start = pushes.length;
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => git(work, "push", "--quiet", "origin", `HEAD:refs/heads/many/${name}`)));
    await eventually(() => pushes.length >= start + names.length, "all reported");
    assert.deepEqual(
      pushes
        .slice(start)
        .map(({ ref }) => ref)
        .sort(),
      names.map((name) => `refs/heads/many/${name}`),
    );
  });

  it("version 2 of the protocol and compressed requests are answered, and requests and bytes are counted", async () => {
    const { requests, bytesSent } = server;
    const request = gzipSync(lsRefsRequest("refs/heads/", { format: "sha1", filter: true, shallow: true }));
    const answer = await fetch(`${url}/git-upload-pack`, {
      method: "POST",
      headers: {
        "git-protocol": "version=2",
        "content-type": "application/x-git-upload-pack-request",
        "content-encoding": "gzip",
      },
      body: request,
    });
    const text = await answer.text();
    assert.match(text, /^[0-9a-f]{44} refs\/heads\//);
    assert.equal(server.requests, requests + 1);
    assert.equal(server.bytesSent, bytesSent + text.length);
  });

  it("nothing but Git's services of repositories below the root is served", async () => {
    await mkdir(join(folder.path, "outside.git"), { recursive: true });
    for (const path of [
      "/",
      "/acme/shop.git/HEAD",
      "/acme/shop.git/config",
      "/../outside.git/info/refs",
      "/%2e%2e/outside.git/info/refs",
      "/absent.git/info/refs",
    ]) {
      assert.equal((await fetch(`${server.url}${path}?service=git-upload-pack`)).status, 404, path);
    }
    for (const name of ["../x", "", "a b", "/abs", "-x", "a..b"])
      await assert.rejects(server.createRepository(name), /is not a repository name/, name);
  });

  it("closing ends what is under way and leaves nothing listening", async () => {
    const other = await startGitServer({ root: join(folder.path, "other") });
    await other.createRepository("x");
    await other.close();
    await assert.rejects(fetch(`${other.url}/x.git/info/refs?service=git-upload-pack`));
  });
});
