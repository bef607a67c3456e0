import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startGateway } from "../../../cli/local/gateway.ts";
import type { LocalLambda } from "../../../cli/local/lambda.ts";
import { jsonLog } from "../../../lib/telemetry/log.ts";
import { type LogLine, startTestLambda, until } from "./fixtures/start.ts";

async function startTestGateway(
  t: TestContext,
  routes: Readonly<Record<string, string>>,
): Promise<{ url: string; lambda: LocalLambda; lines: string[]; logged: LogLine[] }> {
  const { lambda, lines } = await startTestLambda(t);
  const logged: LogLine[] = [];
  const log = jsonLog({ write: (line) => void logged.push(JSON.parse(line) as LogLine) });
  const gateway = await startGateway({ routes, invoke: lambda.invoke, log });
  t.after(() => gateway.close());
  return { url: gateway.url, lambda, lines, logged };
}

test("a request becomes an event of payload format 2.0", async (t) => {
  const { url } = await startTestGateway(t, { "POST /event": "http" });
  const response = await fetch(`${url}/event?a=1&a=2&b=x%20y`, {
    method: "POST",
    headers: { "X-Hub-Signature-256": "sha256=00", cookie: "k=v; l=w", "user-agent": "tests" },
    body: '{"ok":true}',
  });
  assert.equal(response.status, 200);
  const { event } = (await response.json()) as { event: Record<string, unknown> };
  assert.partialDeepStrictEqual(event, {
    version: "2.0",
    routeKey: "POST /event",
    rawPath: "/event",
    rawQueryString: "a=1&a=2&b=x%20y",
    queryStringParameters: { a: "1,2", b: "x y" },
    cookies: ["k=v", "l=w"],
    headers: { "x-hub-signature-256": "sha256=00", "user-agent": "tests" },
    requestContext: {
      authorizer: { iam: { userArn: "local" } },
      http: { method: "POST", path: "/event", userAgent: "tests" },
      stage: "$default",
    },
    body: "eyJvayI6dHJ1ZX0=",
    isBase64Encoded: true,
  });
});

test("a binary body goes there and back byte for byte, with status, headers and cookies", async (t) => {
  const { url } = await startTestGateway(t, { "POST /webhook": "http" });
  const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7919) % 256);
  const response = await fetch(`${url}/webhook`, { method: "POST", body });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-answer"), "yes");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2"]);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
});

test("the most specific route wins, and no route is 404", async (t) => {
  const { url } = await startTestGateway(t, { "GET /event": "http", "GET /{proxy+}": "plain", "POST /hang": "http" });
  assert.equal((await fetch(`${url}/event`)).status, 200);
  assert.equal((await fetch(`${url}/other/path`)).status, 200);
  assert.equal((await fetch(`${url}/event`, { method: "POST" })).status, 404);
  assert.equal((await fetch(`${url}/other`, { method: "DELETE" })).status, 404);
});

test("a body over 10 MB is 413, and one of 10 MB is not", async (t) => {
  const { url } = await startTestGateway(t, { "POST /webhook": "http" });
  const post = (size: number): Promise<Response> => fetch(`${url}/webhook`, { method: "POST", body: new Uint8Array(size) });
  assert.equal((await post(10_485_761)).status, 413);
  assert.equal((await post(10_485_760)).status, 201);
});

test("a failing function is 502 without a word of why; the log has it", async (t) => {
  const { url, logged } = await startTestGateway(t, { "GET /throw": "http", "GET /garbage": "http" });
  for (const path of ["/throw", "/garbage"]) {
    const response = await fetch(`${url}${path}`);
    assert.equal(response.status, 502);
    assert.equal(await response.text(), '{"message":"Internal Server Error"}');
  }
  assert.deepEqual(
    logged.map(({ event, error }) => [event, error]),
    [
      ["gateway.failed", "the password is hunter2"],
      ["gateway.failed", "the answer is not of payload format 2.0"],
    ],
  );
});

test("a process killed while a request is in flight gives 502, and the next request is served", async (t) => {
  const { url, lambda, lines } = await startTestGateway(t, { "GET /{proxy+}": "http" });
  const inFlight = fetch(`${url}/hang`);
  await until(() => lines.includes("hanging"));
  lambda.kill();
  assert.equal((await inFlight).status, 502);
  assert.equal((await fetch(`${url}/event`)).status, 200);
});

test("closing lets an open request be answered", async (t) => {
  const { lambda } = await startTestLambda(t);
  const { promise: underWay, resolve: begun } = Promise.withResolvers<void>();
  const gateway = await startGateway({
    routes: { $default: "plain" },
    log: jsonLog({ write: () => undefined }),
    invoke: async () => {
      begun();
      return lambda.invoke("plain", { do: "sleep", ms: 30 });
    },
  });
  const response = fetch(gateway.url);
  await underWay;
  await gateway.close();
  assert.deepEqual(await (await response).json(), { slept: 30 });
  await assert.rejects(fetch(gateway.url));
});
