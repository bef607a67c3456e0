import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createTransport, type TransportDeps } from "../../lib/cluster/transport.ts";
import { isDriftlessError } from "../../lib/errors.ts";
import { Secret } from "../../lib/telemetry/secret.ts";

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

/** A transport to a loopback server that answers the nth request by the nth function, and all later ones by the last. */
async function talkTo(t: TestContext, responses: readonly Respond[], deps: Partial<TransportDeps> = {}) {
  let count = 0;
  const server = createServer((request, response) => responses[Math.min(count++, responses.length - 1)]?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pauses: number[] = [];
  const transport = createTransport({
    connection: { server: address },
    wait: async (milliseconds) => void pauses.push(milliseconds),
    random: () => 0,
    ...deps,
    ...(deps.connection === undefined ? {} : { connection: { ...deps.connection, server: address } }),
  });
  t.after(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  return { transport, pauses, address };
}

const answer =
  (status: number, headers: Record<string, string | readonly string[]> = {}, body = ""): Respond =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers as Record<string, string>).end(body);
  };
const reset: Respond = (request) => request.socket.resetAndDestroy();
const half: Respond = (_request, response) => {
  response.writeHead(200, { "Content-Length": "100" });
  response.write("{", () => response.socket?.resetAndDestroy());
};
const silence: Respond = () => undefined;
const ok = answer(200, { "Content-Type": "application/json" }, "{}");

test("F8 an overloaded server is asked again, after the time it names", async (t) => {
  const { transport, pauses } = await talkTo(t, [answer(429, { "Retry-After": "3" }), answer(503), ok]);
  assert.equal((await transport.request({ method: "GET", path: "/x" })).status, 200);
  assert.deepEqual(pauses, [3125, 250]);
  assert.equal(transport.requests, 3);
});

test("a server that stays overloaded is asked four times, and its last answer is handed on", async (t) => {
  const { transport, pauses } = await talkTo(t, [answer(503)]);
  assert.equal((await transport.request({ method: "PATCH", path: "/x", body: "{}" })).status, 503);
  assert.deepEqual(pauses, [125, 250, 500]);
  assert.equal(transport.requests, 4);
});

test("F1 a permanent fault that comes as 500 is asked once", async (t) => {
  const { transport } = await talkTo(t, [answer(500, {}, "failed to create typed patch object")]);
  assert.equal((await transport.request({ method: "PATCH", path: "/x", body: "{}" })).status, 500);
  assert.equal(transport.requests, 1);
});

test("a broken connection is tried again", async (t) => {
  const { transport } = await talkTo(t, [reset, reset, ok]);
  assert.equal((await transport.request({ method: "DELETE", path: "/x" })).status, 200);
  assert.equal(transport.requests, 3);
});

test("a connection that breaks in the middle of an answer is tried again", async (t) => {
  const { transport } = await talkTo(t, [half, ok]);
  assert.equal((await transport.request({ method: "GET", path: "/x" })).body, "{}");
});

test("idle connections that died together cost one retry, not one each", async (t) => {
  const sockets = new Set<IncomingMessage["socket"]>();
  const held: ServerResponse[] = [];
  let frozen = false;
  const respond: Respond = (request, response) => {
    if (frozen && sockets.has(request.socket)) return reset(request, response);
    sockets.add(request.socket);
    held.push(response);
    // Answered only when eight are open at once: that takes eight connections.
    if (frozen || held.length === 8) for (const open of held.splice(0)) open.end("{}");
  };
  const { transport } = await talkTo(t, [respond]);
  await Promise.all(Array.from({ length: 8 }, () => transport.request({ method: "GET", path: "/x" })));
  assert.equal(sockets.size, 8);
  frozen = true;
  assert.equal((await transport.request({ method: "GET", path: "/x" })).status, 200);
  assert.equal(transport.requests, 10);
});

test("a server that never answers ends as a retryable cluster error, after four tries", async (t) => {
  const { transport, address } = await talkTo(t, [silence], { timeoutMs: 20 });
  await assert.rejects(transport.request({ method: "GET", path: "/x" }), (error) => {
    assert.ok(isDriftlessError(error, "cluster"));
    assert.equal(error.retryable, true);
    assert.ok(error.message.includes(address.slice("http://".length)));
    return true;
  });
  assert.equal(transport.requests, 4);
});

test("the caller's signal stops a request, and the wait before the next", async (t) => {
  const abort = new AbortController();
  const { transport } = await talkTo(t, [() => abort.abort(new Error("deadline"))]);
  await assert.rejects(transport.request({ method: "GET", path: "/x" }, { signal: abort.signal }), {
    code: "cluster",
    retryable: true,
    message: /stopped: deadline/,
  });
  assert.equal(transport.requests, 1);

  const later = new AbortController();
  const paused = await talkTo(t, [answer(503)], {
    wait: async (_ms, signal) => {
      later.abort(new Error("deadline"));
      signal?.throwIfAborted();
    },
  });
  await assert.rejects(paused.transport.request({ method: "GET", path: "/x" }, { signal: later.signal }), {
    message: /stopped: deadline/,
  });
});

test("F9 an unknown token is replaced once, and then taken as the answer", async (t) => {
  const asked: boolean[] = [];
  const seen: (string | undefined)[] = [];
  const byToken: Respond = (request, response) => {
    seen.push(request.headers.authorization);
    answer(request.headers.authorization === "Bearer new" ? 200 : 401)(request, response);
  };
  const authorize = async ({ fresh }: { readonly fresh: boolean }) => {
    asked.push(fresh);
    return new Secret(fresh ? "Bearer new" : "Bearer old");
  };
  const { transport } = await talkTo(t, [byToken], { connection: { server: "", authorize } });
  assert.equal((await transport.request({ method: "GET", path: "/x" })).status, 200);
  assert.deepEqual(asked, [false, true]);
  assert.deepEqual(seen, ["Bearer old", "Bearer new"]);

  const refused = await talkTo(t, [answer(401)], { connection: { server: "", authorize } });
  assert.equal((await refused.transport.request({ method: "GET", path: "/x" })).status, 401);
  assert.equal(refused.transport.requests, 2);
});

test("warnings of the server are handed on as text", async (t) => {
  const warnings: string[] = [];
  const headers = { Warning: ['299 - "v1beta1 is \\"old\\""', '299 - "spec.x is deprecated"'] };
  const { transport } = await talkTo(t, [answer(200, headers)], { onWarning: (text) => warnings.push(text) });
  await transport.request({ method: "GET", path: "/x" });
  assert.deepEqual(warnings, ['v1beta1 is "old"', "spec.x is deprecated"]);
});

test("credentials never travel over plain HTTP beyond this machine", () => {
  for (const server of ["http://192.0.2.1:8080", "ftp://127.0.0.1", "nonsense", ""]) {
    assert.throws(() => createTransport({ connection: { server } }), { code: "cluster", retryable: false });
  }
});
