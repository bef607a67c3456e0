import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, suite, test } from "node:test";
import * as fc from "fast-check";
import { DriftlessError } from "../../lib/errors.ts";
import { type AcceptDelivery, createWebhookListener, type SignedDelivery } from "../../lib/github/listener.ts";
import type { WebhookSecret } from "../../lib/github/signature.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import type { Measured } from "../../lib/telemetry/metrics.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aPush, currentSecret, headersFor, previousSecret, sign } from "./deliveries.ts";

const mebibyte = 1024 * 1024;
const limit = 6 * mebibyte;

const queued: AcceptDelivery = () => Promise.resolve({ state: "queued", reason: "" });

suite("the webhook listener", () => {
  let server: Server;
  let url = "";
  let accepted: SignedDelivery[] = [];
  let lines: Record<string, unknown>[] = [];
  let measured: Measured[] = [];
  let known: WebhookSecret[] = [];
  let rotated: WebhookSecret[] | undefined;
  let secretReads = 0;
  let accept = queued;
  let deadlineMs = 7500;

  const current: WebhookSecret = { name: "current", value: new Secret(currentSecret) };
  const previous: WebhookSecret = { name: "previous", value: new Secret(previousSecret) };

  before(async () => {
    server = createServer((request, response) => {
      const listener = createWebhookListener({
        secrets: {
          get: () => {
            secretReads += 1;
            return Promise.resolve(known);
          },
          refresh: () => Promise.resolve(rotated),
        },
        accept: (delivery, options) => {
          accepted.push(delivery);
          return accept(delivery, options);
        },
        metrics: { emit: (each) => measured.push(each) },
        log: jsonLog({ level: "debug", write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
        deadlineMs,
      });
      listener(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`;
  });
  beforeEach(() => {
    accepted = [];
    lines = [];
    known = [current, previous];
    rotated = undefined;
    secretReads = 0;
    measured = [];
    accept = queued;
    deadlineMs = 7500;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  interface Answer {
    readonly status: number;
    readonly body: Record<string, unknown>;
    readonly headers: Headers;
  }

  async function post(
    body: string | Uint8Array,
    headers: Record<string, string> = headersFor(body),
    method = "POST",
  ): Promise<Answer> {
    const bytes = typeof body === "string" ? Buffer.from(body) : Uint8Array.from(body);
    const response = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body: bytes }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
  }

  const push = JSON.stringify(aPush());

  test("a signed push is answered 202 with its delivery, and handed on", async () => {
    const id = randomUUID();
    const answer = await post(push, headersFor(push, { "x-github-delivery": id }));
    assert.deepEqual([answer.status, answer.body], [202, { delivery: id, state: "queued" }]);
    assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(accepted.length, 1);
    assert.deepEqual([accepted[0]?.id, accepted[0]?.event, accepted[0]?.content.kind], [id, "push", "push"]);
  });

  test("what is not queued is answered 200 with the reason", async () => {
    accept = () => Promise.resolve({ state: "ignored", reason: "refs/tags/v1 is a tag" });
    const answer = await post(push, headersFor(push, { "x-github-delivery": "a-1" }));
    assert.deepEqual([answer.status, answer.body], [200, { delivery: "a-1", state: "ignored", reason: "refs/tags/v1 is a tag" }]);
  });

  const written: readonly (readonly [string, string])[] = [
    ["an emoji", JSON.stringify(aPush({ note: "\u{1f680}" }))],
    ["an escaped letter", push.replace("über", "\\u00fcber")],
    ["white space and Windows line ends", JSON.stringify(aPush(), null, 2).replaceAll("\n", "\r\n")],
    ["another order of keys", JSON.stringify(Object.fromEntries(Object.entries(aPush()).toReversed()))],
  ];
  for (const [what, body] of written) {
    test(`a body with ${what} is accepted as it was signed`, async () => {
      assert.notEqual(body, push);
      assert.equal((await post(body)).status, 202);
      const elsewhere = { ...headersFor(body), "x-hub-signature-256": sign(push) };
      assert.equal((await post(body, elsewhere)).status, 401);
    });
  }

  test("a body of 5.9 MiB is accepted when it is signed; unsigned, it is not even parsed", async (t) => {
    const body = JSON.stringify(aPush({ filler: "x".repeat(5.9 * mebibyte - push.length) }));
    assert.equal((await post(body)).status, 202);
    const parse = t.mock.method(JSON, "parse");
    assert.equal((await post(body, headersFor(body, { secret: "wrong" }))).status, 401);
    assert.ok(parse.mock.calls.every(({ arguments: [text] }) => text.length < 1000));
  });

  const refusedHeaders: readonly (readonly [string, number, string, Record<string, string | undefined>])[] = [
    ["no signature", 401, "the signature does not hold", { "x-hub-signature-256": undefined }],
    ["a signature by another secret", 401, "the signature does not hold", { secret: "guessed" }],
    ["a signature of another form", 401, "the signature does not hold", { "x-hub-signature-256": `sha1=${"a".repeat(40)}` }],
    ["no delivery id", 400, "X-GitHub-Delivery must be 1 to 100 letters, digits and dashes", { "x-github-delivery": undefined }],
    [
      "a delivery id of 101 characters",
      400,
      "X-GitHub-Delivery must be 1 to 100 letters, digits and dashes",
      { "x-github-delivery": "a".repeat(101) },
    ],
    [
      "a delivery id with a line of its own",
      400,
      "X-GitHub-Delivery must be 1 to 100 letters, digits and dashes",
      { "x-github-delivery": "a#b/../c" },
    ],
    [
      "no event",
      400,
      "X-GitHub-Event must be 1 to 50 letters, digits, dashes, dots and underscores",
      { "x-github-event": undefined },
    ],
    [
      "an event of 51 characters",
      400,
      "X-GitHub-Event must be 1 to 50 letters, digits, dashes, dots and underscores",
      { "x-github-event": "a".repeat(51) },
    ],
    [
      "a form",
      415,
      "content type must be application/json: choose application/json as content type in the webhook's settings",
      { "content-type": "application/x-www-form-urlencoded" },
    ],
    [
      "a type that only begins alike",
      415,
      "content type must be application/json: choose application/json as content type in the webhook's settings",
      { "content-type": "application/jsonl" },
    ],
  ];
  for (const [what, status, error, change] of refusedHeaders) {
    test(`${what} is refused with ${status}, and nothing is queued`, async () => {
      const answer = await post(push, headersFor(push, change));
      assert.deepEqual([answer.status, answer.body], [status, { error }]);
      assert.deepEqual(accepted, []);
      assert.equal(lines.find(({ event }) => event === "webhook.refused")?.["status"], status);
    });
  }

  const refusedBodies: readonly (readonly [string, string, string])[] = [
    ["null", "null", "payload must be an object"],
    ["[]", "[]", "payload must be an object"],
    ["a ref of the wrong type", '{"ref":1}', "repository must be an object"],
    ["__proto__", `{"__proto__":${push}}`, "repository must be an object"],
    ["no repository", JSON.stringify(aPush({ repository: undefined })), "repository must be an object"],
    ["100,000 levels of lists", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "payload must be an object"],
    ["100,000 levels of objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, "repository must be an object"],
    ["two million levels cut off", "[".repeat(2_000_000), "the body is not JSON"],
    ["no JSON", "ref=refs/heads/main", "the body is not JSON"],
    ["half of a push", push.slice(0, push.length / 2), "the body is not JSON"],
  ];
  for (const [what, body, error] of refusedBodies) {
    test(`a signed body of ${what} is refused with 400, and the next delivery is taken`, async () => {
      const answer = await post(body);
      assert.deepEqual([answer.status, answer.body], [400, { error }]);
      assert.deepEqual(accepted, []);
      assert.equal((await post(push)).status, 202);
    });
  }

  test("bytes that are not UTF-8 and an empty body are refused as not signed", async () => {
    const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    assert.equal((await post(broken)).status, 401);
    assert.equal((await post("")).status, 401);
    assert.deepEqual(accepted, []);
  });

  test("other paths are 404 and other methods 405, before anything is read", async () => {
    const headers = headersFor(push);
    const elsewhere = await fetch(url.replace("/webhook", "/webhooks"), { method: "POST", headers, body: push });
    assert.equal(elsewhere.status, 404);
    await elsewhere.body?.cancel();
    const got = await post("", headers, "GET");
    assert.deepEqual([got.status, got.headers.get("allow")], [405, "POST"]);
    assert.equal((await post(push, headers, "PUT")).status, 405);
    const query = await fetch(`${url}?a=b`, { method: "POST", headers, body: push });
    assert.equal(query.status, 202);
    await query.body?.cancel();
    assert.equal(secretReads, 1);
  });

  /** Sends without a stated length when `length` is undefined; ends the body only when the answer is there. */
  async function send(chunks: readonly Uint8Array[], headers: Record<string, string>, length?: number): Promise<number> {
    const sent = httpRequest(url, {
      method: "POST",
      headers: { ...headers, ...(length === undefined ? {} : { "content-length": length }) },
      agent: false,
    });
    const answered = once(sent, "response") as Promise<[IncomingMessage]>;
    for (const chunk of chunks) sent.write(chunk);
    const [response] = await answered;
    sent.destroy();
    return response.statusCode ?? 0;
  }

  test("a stated length above 6 MiB is 413 before the body came", async () => {
    assert.equal(await send([Buffer.from("{")], headersFor(push), limit + 1), 413);
    assert.deepEqual([secretReads, accepted.length], [0, 0]);
  });

  test("a body that grows above 6 MiB without a stated length is 413 before its end", async () => {
    const chunks = Array.from({ length: 7 }, () => Buffer.alloc(mebibyte, "x"));
    assert.equal(await send(chunks, headersFor(push)), 413);
    assert.deepEqual([secretReads, accepted.length], [0, 0]);
  });

  test("a client that goes away in the middle is noted, and the next delivery is taken", async () => {
    const sent = httpRequest(url, { method: "POST", headers: { ...headersFor(push), "content-length": 1000 }, agent: false });
    sent.on("error", () => undefined);
    const arrived = once(server, "request") as Promise<[IncomingMessage]>;
    sent.write("{");
    const [request] = await arrived;
    const gone = new Promise<void>((resolve) => request.on("error", () => undefined).once("close", resolve));
    sent.destroy();
    await gone;
    assert.equal((await post(push)).status, 202);
    const { event, level, reason } = lines[0] ?? {};
    assert.deepEqual([event, level, reason], ["webhook.refused", "info", "the client went away before the body's end"]);
    assert.equal(accepted.length, 1);
  });

  test("requests without a signature of the right form cost no look-up of the secrets", async () => {
    await post(push, headersFor(push, { "x-hub-signature-256": undefined }));
    await post(push, headersFor(push, { "x-hub-signature-256": "sha256=short" }));
    assert.equal(secretReads, 0);
  });

  test("during a rotation the previous secret holds and is noted; once retired it is refused", async () => {
    const old = headersFor(push, { secret: previousSecret });
    assert.equal((await post(push, old)).status, 202);
    assert.ok(lines.some(({ event, level }) => event === "webhook.previous-secret" && level === "warn"));
    assert.deepEqual(measured, [{ values: { PreviousSecretUsed: 1 } }]);
    known = [current];
    assert.equal((await post(push, old)).status, 401);
    assert.equal(accepted.length, 1);
  });

  test("a signature by a secret not yet known makes the secrets be read again", async () => {
    known = [previous];
    const headers = headersFor(push);
    assert.equal((await post(push, headers)).status, 401);
    rotated = [current, previous];
    assert.equal((await post(push, headers)).status, 202);
  });

  const failures: readonly (readonly [string, Error, number])[] = [
    ["the queue is down", new DriftlessError("queue", "down", { retryable: true }), 503],
    ["the table is down", new DriftlessError("store", "down", { retryable: true }), 503],
    ["the table refuses", new DriftlessError("store", "access denied"), 503],
    ["the call was aborted", new DOMException("late", "AbortError"), 503],
    ["the configuration is wrong", new DriftlessError("config", "no secret"), 500],
    ["there is a fault in the code", new TypeError("x is not a function"), 500],
  ];
  for (const [what, error, status] of failures) {
    test(`when ${what} the answer is ${status} without detail, and the log has it`, async () => {
      accept = () => Promise.reject(error);
      const answer = await post(push);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("retry-after"), status === 503 ? "30" : null);
      assert.deepEqual(answer.body, {
        error: status === 503 ? "not taken in: redeliver it later" : "not taken in: the log says why",
      });
      const logged = lines.find(({ event }) => event === "webhook.failed")?.["error"];
      assert.equal((logged as { message: string }).message, error.message);
    });
  }

  test("when the queue hangs the answer is 503 at the deadline, and the call is aborted", async () => {
    deadlineMs = 50;
    let aborted = false;
    accept = (_delivery, { signal }) => {
      signal?.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    };
    const answer = await post(push);
    assert.deepEqual([answer.status, answer.headers.get("retry-after"), aborted], [503, "30", true]);
  });

  test("every log line carries the delivery's id, and no line a secret or a signature", async () => {
    const id = randomUUID();
    const headers = headersFor(push, { "x-github-delivery": id, secret: previousSecret });
    await post(push, headers);
    await post(push, { ...headers, "x-hub-signature-256": sign("other") });
    accept = () => Promise.reject(new Error("broken"));
    await post(push, headers);
    assert.ok(lines.length >= 4);
    assert.deepEqual([...new Set(lines.map((line) => line["correlationId"]))], [id]);
    await post(push, headersFor(push, { "x-github-delivery": "not an id" }));
    assert.equal(lines.at(-1)?.["correlationId"], "none");
    const text = JSON.stringify(lines);
    for (const hidden of [currentSecret, previousSecret, headers["x-hub-signature-256"]!.slice(7)])
      assert.ok(!text.includes(hidden));
  });

  test("any byte flipped in the body or the signature is 401, and nothing is queued", async () => {
    const flips = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }), inBody: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(flips, async ({ at, mask, inBody }) => {
        const headers = headersFor(push);
        const body = Buffer.from(push);
        if (inBody) {
          body[at % body.length]! ^= mask;
        } else {
          const signature = headers["x-hub-signature-256"]!;
          const place = at % signature.length;
          const other = String.fromCodePoint(33 + ((signature.codePointAt(place)! - 33 + 1 + (mask % 93)) % 94));
          headers["x-hub-signature-256"] = `${signature.slice(0, place)}${other}${signature.slice(place + 1)}`;
        }
        assert.equal((await post(body, headers)).status, 401);
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(accepted, []);
  });
});
