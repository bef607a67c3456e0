import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { startGitServer } from "../../cli/local/git-server.ts";
import { type DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import type { Sources } from "../../lib/source/source.ts";
import { createSources } from "../../lib/source/sources.ts";
import type { GithubRepository } from "../support/github.ts";
import { type GithubBed, openGithubBed } from "./github.ts";
import { commit, startHttp, temporaryFolder } from "./repositories.ts";

describe("repositories of GitHub, read as an App", () => {
  let bed: GithubBed;
  before(async () => {
    bed = await openGithubBed();
  });
  after(() => bed.close());
  afterEach(() => bed.forget());

  /** A private repository with one commit, on an account of its own where the App is installed. */
  async function aRepository(): Promise<GithubRepository & { readonly owner: string; readonly head: string }> {
    const owner = `Acme-${randomUUID().slice(0, 8)}`;
    const repository = await bed.github.createRepository(`${owner}/shop`);
    bed.github.install(owner);
    const head = await commit(repository.path, { "apps/shop/deployment.yaml": "kind: Deployment\n" });
    return { ...repository, owner, head };
  }

  /** The text of a file at the head of a repository. */
  async function read(sources: Sources, url: string): Promise<string> {
    const source = sources.source(url);
    const tree = await source.open((await source.head("main")) ?? "");
    const { oid } = (await tree.lookup("apps/shop/deployment.yaml"))!;
    return Buffer.from((await tree.read([oid])).get(oid)!).toString();
  }

  /** The error of a call that must fail; neither it nor any log line tells a credential. */
  async function failure(act: Promise<unknown>): Promise<DriftlessError> {
    const error = await act.then(
      () => assert.fail("no error"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isDriftlessError(error), String(error));
    for (const text of [whole(error), ...bed.lines]) assert.doesNotMatch(text, /ghs_|PRIVATE KEY|[Bb]earer ey|MII[A-Z]/);
    return error;
  }

  const whole = (error: unknown): string =>
    error instanceof Error ? `${error.stack} ${inspect(error)} ${whole(error.cause)}` : JSON.stringify(error ?? "");
  const tokenRequests = () => bed.github.requests.filter(({ method }) => method === "POST");

  it("H6: a token is for one repository and for reading its contents, and nothing else is asked for", async () => {
    const { url, id } = await aRepository();
    assert.equal(await read(bed.sources(), url), "kind: Deployment\n");
    assert.equal(await read(bed.sources(), url), "kind: Deployment\n");
    assert.deepEqual(
      tokenRequests().map(({ body }) => body),
      [
        { repositories: ["shop"], permissions: { contents: "read" } },
        { repository_ids: [id], permissions: { contents: "read" } },
      ],
    );
  });

  it("a private repository opens with the token alone: without one, or with another's, it is refused", async () => {
    const [mine, other] = [await aRepository(), await aRepository()];
    assert.equal(await read(bed.sources(), mine.url), "kind: Deployment\n");
    const anonymous = await failure(createSources().source(mine.url).head("main"));
    assert.match(anonymous.message, /401.*none are configured/);
    const authorization = bed.authorization();
    const strange = createSources({ authorization: () => authorization(other.url) });
    assert.match((await failure(strange.source(mine.url).head("main"))).message, /404/);
  });

  it("one token serves all that is read, also when many ask at once, until shortly before its hour ends", async () => {
    const { url } = await aRepository();
    const sources = bed.sources();
    await Promise.all(Array.from({ length: 20 }, () => sources.source(url).head("main")));
    await read(sources, url);
    bed.time = new Date(bed.time.getTime() + 54 * 60_000);
    await sources.source(url).head("main");
    assert.equal(tokenRequests().length, 1);
    bed.time = new Date(bed.time.getTime() + 2 * 60_000);
    await sources.source(url).head("main");
    assert.equal(tokenRequests().length, 2);
    assert.equal(new Set(bed.github.gitAuthorizations).size, 2);
  });

  it("a token that is refused is replaced once; a new one that is refused too may be tried again later", async () => {
    const { url, head } = await aRepository();
    const sources = bed.sources();
    await sources.source(url).head("main");
    bed.github.revokeTokens();
    assert.equal(await sources.source(url).head("main"), head);
    assert.equal(tokenRequests().length, 2);
    bed.github.refuse("git", { status: 401 });
    bed.github.gitAuthorizations.splice(0);
    const error = await failure(sources.source(url).head("main"));
    assert.deepEqual([error.facts["status"], error.retryable, bed.github.gitAuthorizations.length], [401, true, 2]);
  });

  it("other hosts are read anonymously, and GitHub is not asked about them", async () => {
    const folder = await temporaryFolder();
    const seen: (string | undefined)[] = [];
    const server = await startGitServer({
      root: folder.path,
      intercept: async ({ headers }) => {
        seen.push(headers.authorization);
        return false;
      },
    });
    try {
      const { url, path } = await server.createRepository("acme/shop");
      const head = await commit(path, { "a.yaml": "kind: A\n" });
      assert.equal(await bed.sources().source(url).head("main"), head);
      assert.deepEqual([new Set(seen), bed.github.requests], [new Set([undefined]), []]);
    } finally {
      await server.close();
      await folder.remove();
    }
  });

  it("a repository without the App says where to install it", async () => {
    const owner = `Nobody-${randomUUID().slice(0, 8)}`;
    const { url } = await bed.github.createRepository(`${owner}/shop`);
    const error = await failure(bed.sources().source(url).head("main"));
    assert.match(error.message, new RegExp(`App ${bed.github.appId} is not installed for ${owner}/shop.*install it`));
    assert.deepEqual([error.code, error.retryable, bed.github.gitAuthorizations], ["source", false, []]);
  });

  it("a suspended installation, and one without the right to read, say so", async () => {
    const { url, owner } = await aRepository();
    bed.github.suspend(owner);
    assert.match((await failure(bed.sources().source(url).head("main"))).message, /is suspended on .*unsuspend/);
    bed.github.install(owner, { permissions: { metadata: "read" } });
    const error = await failure(bed.sources().source(url).head("main"));
    assert.match(error.message, /may not read .*"Contents: read"/);
    assert.equal(error.retryable, false);
  });

  it("a URL of GitHub that names no repository is refused", async () => {
    for (const path of ["/acme", "/acme/shop/tree/main"]) {
      const url = `${bed.github.server.url}${path}`;
      assert.match((await failure(bed.sources().source(url).head("main"))).message, /OWNER\/NAME/);
    }
  });

  it("what a name meant first is what it means: a repository that takes it later is refused, with both ids", async () => {
    const { url, id, owner } = await aRepository();
    await read(bed.sources(), url);
    assert.equal(await bed.bindings.get(url), id);
    bed.github.uninstall(owner);
    const successor = await bed.github.createRepository(`${owner}/shop`);
    bed.github.install(owner);
    bed.github.gitAuthorizations.splice(0);
    const error = await failure(bed.sources().source(url).head("main"));
    assert.match(error.message, new RegExp(`is repository ${successor.id} now, and was ${id} .*delete the row`));
    assert.deepEqual(
      [error.code, error.retryable, error.facts["boundId"], error.facts["repositoryId"]],
      ["source", false, id, successor.id],
    );
    assert.deepEqual(bed.github.gitAuthorizations, [], "nothing of it was read");
  });

  it("a renamed repository is not read by its old name, whether that leads to it or to nothing or to another one", async () => {
    const { url, id, owner } = await aRepository();
    await read(bed.sources(), url);
    await bed.github.renameRepository(`${owner}/shop`, `${owner}/store`);
    const moved = await failure(bed.sources().source(url).head("main"));
    assert.match(moved.message, new RegExp(`\\(repository ${id}\\).*renamed or transferred.*present URL into driftless.yaml`));
    assert.equal(moved.retryable, false);
    // Now the name is taken, and the one that was bound is still to be had by its id.
    await bed.github.createRepository(`${owner}/shop`);
    const taken = await failure(bed.sources().source(url).head("main"));
    assert.match(taken.message, new RegExp(`\\(repository ${id}\\) is ${owner}/store now`));
    assert.equal(await read(bed.sources(), url.replace("/shop", "/store")), "kind: Deployment\n");
  });

  it("the App's key may be replaced while a function runs", async () => {
    const { url, head } = await aRepository();
    const sources = bed.sources();
    await sources.source(url).head("main");
    const privateKey = bed.github.replaceKey();
    bed.github.revokeTokens();
    const refused = await failure(sources.source(url).head("main"));
    assert.deepEqual([refused.code, refused.retryable], ["config", false]);
    assert.match(refused.message, new RegExp(`does not accept the key of the App ${bed.github.appId}`));
    bed.secrets.put(
      "github",
      JSON.stringify({ appId: Number(bed.github.appId), privateKey: privateKey.replaceAll("\n", "\\n") }),
    );
    bed.time = new Date(bed.time.getTime() + 61_000);
    assert.equal(await sources.source(url).head("main"), head);
  });

  it("C7: a redirect of the API is not followed, and nobody else sees the App's signature", async () => {
    const { url } = await aRepository();
    const seen: unknown[] = [];
    const evil = await startHttp(({ headers }, response) => {
      seen.push(headers);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    try {
      for (const status of [301, 302, 307, 308]) {
        bed.github.refuse("api", { status, headers: { location: `${evil.url}/repos/acme/shop/installation` } });
        assert.equal((await failure(bed.sources().source(url).head("main"))).retryable, false);
      }
      assert.deepEqual(seen, []);
    } finally {
      await evil.close();
    }
  });

  it("C9: an answer of the API that is cut anywhere is an error that may be tried again", async () => {
    const { url } = await aRepository();
    const body = JSON.stringify({ id: 12345, account: { login: "acme" }, suspended_at: null });
    for (let part = 0; part < 10; part += 1) {
      bed.github.refuse("api", { status: 200, body: body.slice(0, Math.floor((body.length * part) / 10)) });
      const error = await failure(bed.sources().source(url).head("main"));
      assert.deepEqual([error.code, error.retryable], ["source", true], `${part}`);
    }
  });

  it("an API that does not answer ends by its timeout, and a caller that stops waits no longer", async () => {
    const { url } = await aRepository();
    const silent = await startHttp(() => undefined);
    try {
      const apiUrl = `${silent.url}/api/v3`;
      const repository = url.replace(bed.github.server.url, silent.url);
      const late = await failure(bed.authorization({ apiUrl, timeoutMs: 40 })(repository));
      assert.match(late.message, /no complete answer within 0.04 s/);
      assert.equal(late.retryable, true);
      const controller = new AbortController();
      const asked = bed.authorization({ apiUrl, timeoutMs: 200 })(repository, { signal: controller.signal });
      controller.abort(new Error("the function ends"));
      await assert.rejects(asked, /the function ends/);
    } finally {
      await silent.close();
    }
  });
});

describe("one token for GitHub, for a first try", () => {
  let bed: GithubBed;
  before(async () => {
    bed = await openGithubBed();
  });
  after(() => bed.close());

  it("goes as it is to GitHub and to no other host, and is read again when GitHub refuses it", async () => {
    bed.secrets.put("github", JSON.stringify({ token: "github_pat_first" }));
    const authorization = bed.authorization();
    const url = `${bed.github.server.url}/acme/shop`;
    const basic = (token: string): string => `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    const first = await authorization(url);
    assert.equal(first?.reveal(), basic("github_pat_first"));
    assert.equal(String(first), "[secret]");
    for (const other of [
      "https://gitlab.com/acme/shop",
      "http://127.0.0.1:1/acme/shop",
      "https://github.com.evil.example/acme/shop",
    ]) {
      assert.equal(await authorization(other), undefined);
    }
    bed.secrets.put("github", JSON.stringify({ token: "github_pat_second" }));
    assert.equal((await authorization(url, { rejected: first }))?.reveal(), basic("github_pat_second"));
    assert.deepEqual(bed.github.requests, []);
  });

  it("github.com is where the token of api.github.com goes", async () => {
    bed.secrets.put("github", JSON.stringify({ token: "github_pat_first" }));
    const authorization = bed.authorization({ apiUrl: "https://api.github.com" });
    assert.notEqual(await authorization("https://github.com/acme/shop.git"), undefined);
    for (const other of [
      "https://api.github.com/acme/shop",
      "https://gist.github.com/acme/shop",
      "https://github.com:444/acme/shop",
    ]) {
      assert.equal(await authorization(other), undefined, other);
    }
  });
});
