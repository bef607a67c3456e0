import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type LocalGitServer, startGitServer } from "../../cli/local/git-server.ts";
import { type DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createSources } from "../../lib/source/sources.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { commit, type LoopbackServer, startHttp, startProxy, temporaryFolder } from "./repositories.ts";

const authorization = async (): Promise<Secret> => new Secret("Bearer canary-token-0123456789");

/** The error of a call that must fail, and that tells no credential. */
async function failure(act: Promise<unknown>): Promise<DriftlessError> {
  const error = await act.then(
    () => assert.fail("no error"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isDriftlessError(error), String(error));
  assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)} ${error.stack}`, /canary/);
  return error;
}

/** Hands a request on to another server, and its answer back. */
async function forward(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", headers } = request;
  const asked = new Uint8Array(await buffer(request));
  const kept = { "git-protocol": String(headers["git-protocol"]), "content-type": headers["content-type"] ?? "" };
  const answer = await fetch(`${target}${request.url}`, { method, headers: kept, ...(method === "POST" ? { body: asked } : {}) });
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
}

describe("faults of a Git server over HTTP", () => {
  let server: LocalGitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path = "";
  let head = "";
  const started: LoopbackServer[] = [];

  before(async () => {
    folder = await temporaryFolder();
    server = await startGitServer({ root: folder.path });
    ({ path } = await server.createRepository("shop"));
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`apps/app${index}/a.yaml`, `kind: A${index}\n`]));
    head = await commit(path, files);
  });
  after(async () => {
    for (const one of started) await one.close();
    await server.close();
    await folder.remove();
  });

  const listen = async (listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    const one = await startHttp(listener);
    started.push(one);
    return one.url;
  };
  const proxy = async (options: Omit<Parameters<typeof startProxy>[0], "target">): Promise<string> => {
    const one = await startProxy({ target: server.url, ...options });
    started.push(one);
    return one.url;
  };
  for (const [status, authorized, retryable, words] of [
    [401, false, false, /none are configured/],
    [401, true, false, /neither expired nor revoked/],
    [403, true, false, /may read the contents/],
    [404, false, false, /it is private .*check the URL/],
    [404, true, false, /the credentials may not see it/],
    [410, true, false, /check the URL/],
    [429, true, true, /too many requests/],
    [500, true, true, /the server failed/],
    [503, false, true, /the server failed/],
  ] as const) {
    it(`${status} ${authorized ? "with" : "without"} credentials says what to check and ${retryable ? "may be tried again" : "is final"}`, async () => {
      const url = await listen((_request, response) => response.writeHead(status).end("private words of the server"));
      const error = await failure(
        createSources(authorized ? { authorization } : {})
          .source(`${url}/acme/shop.git`)
          .head("main"),
      );
      assert.equal(error.code, "source");
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /private words/);
      assert.deepEqual(
        [error.facts["status"], error.retryable, error.facts["repository"]],
        [status, retryable, `${url}/acme/shop.git`],
      );
    });
  }

  it("retry-after is handed on in seconds, also when it comes as a date or with a 403", async () => {
    const clock = { now: () => new Date("2026-01-01T00:00:00Z") };
    for (const [status, header, seconds] of [
      [429, "120", 120],
      [503, "Thu, 01 Jan 2026 00:00:30 GMT", 30],
      [403, "7", 7],
    ] as const) {
      const url = await listen((_request, response) => response.writeHead(status, { "retry-after": header }).end());
      const error = await failure(createSources({ clock }).source(`${url}/shop`).head("main"));
      assert.deepEqual([error.facts["retryAfterSeconds"], error.retryable], [seconds, true]);
    }
  });

  it("C7: a redirect to another host is refused, in whatever words, and that host sees no request and no credential", async () => {
    const seen: unknown[] = [];
    const evil = new URL(
      await listen(({ headers }, response) => {
        seen.push(headers);
        response.writeHead(200).end();
      }),
    );
    const places = [
      (path: string) => `${evil.origin}${path}`,
      (path: string) => `//${evil.host}${path}`,
      (path: string, own: string) => `http://${new URL(own).host}@${evil.host}${path}`,
      (path: string) => `http://localhost:${evil.port}${path}`,
      (path: string) => `https://${evil.host}${path}`,
      () => "file:///etc/passwd",
      () => "data:text/plain,0000",
    ];
    for (const status of [301, 302, 303, 307, 308]) {
      for (const place of places) {
        const own: string = await listen((request, response) =>
          response.writeHead(status, { location: place(request.url!, own) }).end(),
        );
        const error = await failure(createSources({ authorization }).source(`${own}/shop.git`).head("main"));
        assert.match(error.message, /redirects to another host/);
        assert.equal(error.retryable, false);
      }
    }
    assert.deepEqual(seen, []);
  });

  it("C7: a redirect in the middle of a fetch is refused, to wherever it points", async () => {
    const seen: unknown[] = [];
    const evil = await listen(({ headers }, response) => {
      seen.push(headers);
      response.writeHead(200).end();
    });
    const upstream = server.url;
    for (const to of [evil, ""]) {
      const url = await listen((request, response) => {
        if (request.method === "POST") return response.writeHead(307, { location: `${to}${request.url}` }).end();
        forward(upstream, request, response).catch(() => response.destroy());
        return undefined;
      });
      const error = await failure(createSources({ authorization }).source(`${url}/shop.git`).head("main"));
      assert.match(error.message, /redirects in the middle of a fetch/);
    }
    assert.deepEqual(seen, []);
  });

  it("C7: one redirect on the same host is followed, without credentials; a second one is refused", async () => {
    const seen: (string | undefined)[] = [];
    const target = server.url;
    const url = await listen((request, response) => {
      seen.push(request.headers.authorization);
      const location = request.url!.startsWith("/old")
        ? request.url!.replace("/old", "/shop")
        : request.url!.replace("/twice", "/old");
      if (!request.url!.startsWith("/shop")) return response.writeHead(301, { location }).end();
      forward(target, request, response).catch(() => response.destroy());
      return undefined;
    });
    assert.equal(await createSources({ authorization }).source(`${url}/old.git`).head("main"), head);
    assert.deepEqual(seen, ["Bearer canary-token-0123456789", undefined, undefined]);
    const error = await failure(createSources().source(`${url}/twice.git`).head("main"));
    assert.match(error.message, /redirects more than once/);
  });

  for (const broken of [true, false]) {
    it(`C9: an answer that is cut ${broken ? "by a broken connection" : "and yet ends properly"} is an error at every point, never a partial tree`, async () => {
      let keep = 1;
      const cutting = { cut: "" };
      const url = await proxy({
        answer: ({ path: asked, body }) =>
          asked.endsWith(cutting.cut)
            ? { body: body.subarray(0, Math.floor(body.length * keep)), broken: broken && keep < 1 }
            : { body },
      });
      for (const cut of ["/info/refs?service=git-upload-pack", "/git-upload-pack"]) {
        cutting.cut = cut;
        for (const part of [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999]) {
          keep = part;
          const source = createSources().source(`${url}/shop.git`);
          const error = await failure(source.open(head));
          assert.equal(error.code, "source", `${part}`);
          assert.ok(error.retryable, `${part}: ${error.message}`);
          keep = 1;
          assert.equal((await source.open(head)).commit, head, "the source recovers");
        }
      }
    });
  }

  it("C9: heads and bodies that are cut at any tenth are errors that may be tried again, never half a list or half a file", async () => {
    let keep = 1;
    const url = await proxy({ answer: ({ body }) => ({ body: body.subarray(0, Math.floor(body.length * keep)) }) });
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const source = createSources().source(`${url}/shop.git`);
      const tree = await source.open(head);
      const { oid } = (await tree.lookup("apps/app7/a.yaml"))!;
      keep = tenth / 10;
      for (const act of [() => source.head("main"), () => tree.read([oid])]) {
        const error = await failure(act());
        assert.deepEqual([error.code, error.retryable], ["source", true], `${tenth}: ${error.message}`);
      }
      keep = 1;
      assert.equal(await source.head("main"), head);
      assert.equal(Buffer.from((await tree.read([oid])).get(oid)!).toString(), "kind: A7\n");
    }
  });

  it("a pack with one changed byte is an error, wherever it is", async () => {
    let at = 0;
    const url = await proxy({
      answer: ({ path: asked, body }) => {
        if (asked.endsWith("/git-upload-pack")) body[Math.floor(body.length * at)]! ^= 0x40;
        return { body };
      },
    });
    for (let step = 0; step < 40; step += 1) {
      at = 0.05 + (step / 40) * 0.9;
      assert.equal((await failure(createSources().source(`${url}/shop.git`).open(head))).code, "source", `${at}`);
    }
  });

  it("one connection serves a source, and one that the server closed while idle is replaced unnoticed", async () => {
    const sockets = new Set<unknown>();
    let resets = 0;
    const upstream = await proxy({ answer: ({ body }) => ({ body }) });
    const url = await listen((request, response) => {
      const known = sockets.has(request.socket);
      sockets.add(request.socket);
      if (known && resets > 0) {
        resets -= 1;
        request.socket.destroy();
        return;
      }
      forward(upstream, request, response).catch(() => response.destroy());
    });
    const source = createSources().source(`${url}/shop.git`);
    for (let round = 0; round < 3; round += 1) assert.equal(await source.head("main"), head);
    assert.equal(sockets.size, 1);
    resets = 1;
    assert.equal(await source.head("main"), head);
    assert.deepEqual([resets, sockets.size], [0, 2]);
  });

  it("a server without version 2 of the protocol is told apart from one that is broken", async () => {
    const url = await proxy({ headers: ({ "git-protocol": _dropped, ...rest }) => rest, answer: ({ body }) => ({ body }) });
    const error = await failure(createSources().source(`${url}/shop.git`).head("main"));
    assert.match(error.message, /version 2 of Git's protocol/);
    assert.equal(error.retryable, false);
  });

  it("a web page instead of a Git server is named as such", async () => {
    const url = await listen((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
    assert.match((await failure(createSources().source(`${url}/shop`).head("main"))).message, /text\/html.*check the URL/);
  });

  it("a server that stays silent, or stops half-way, ends by the timeout and may be tried again", async () => {
    const silent = await listen(() => undefined);
    const stalled = await listen((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" }).write("000eversion 2\n");
    });
    for (const url of [silent, stalled]) {
      const error = await failure(createSources({ timeoutMs: 40 }).source(`${url}/shop`).head("main"));
      assert.match(error.message, /no complete answer within 0.04 s/);
      assert.ok(error.retryable);
    }
  });

  it("the caller's signal ends a request under way", async () => {
    const controller = new AbortController();
    const url = await listen(() => controller.abort(new Error("the function ends")));
    const error = await failure(createSources().source(`${url}/shop`).head("main", { signal: controller.signal }));
    assert.match(error.message, /the function ends/);
  });

  it("a server that is gone is a retryable source error", async () => {
    const gone = await startHttp(() => undefined);
    await gone.close();
    const error = await failure(createSources().source(`${gone.url}/shop`).head("main"));
    assert.deepEqual([error.code, error.retryable], ["source", true]);
    assert.match(error.message, /ECONNREFUSED/);
  });
});
