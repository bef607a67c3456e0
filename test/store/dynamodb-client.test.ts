import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { type CredentialProvider, createSignedPost } from "../../lib/aws/signed-post.ts";
import { signPost } from "../../lib/aws/sigv4.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { createDynamoClient } from "../../lib/store/dynamodb-client.ts";
import type { TableClient } from "../../lib/store/table-client.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;

const fine: Answer = (response) => reply(response, 200, JSON.stringify({ Item: { pk: { S: "shop" } } }));
const item = { Item: { pk: { S: "shop" } } };
const key = { TableName: "driftless", Key: { pk: { S: "shop" } } };

function reply(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "x-amz-crc32": String(crc32(body)), ...headers }).end(body);
}

function refusal(status: number, type: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "no" });
  return (response) => reply(response, status, body, headers);
}

describe("the client of the table", () => {
  /** What the server answers, in order; the last one for ever. */
  let answers: Answer[] = [];
  let requests: { readonly body: string; readonly headers: IncomingMessage["headers"] }[] = [];
  let time = new Date("2026-11-21T08:15:40.000Z");
  let tokens: string[] = [];
  let endpoint = "";
  const open: TableClient[] = [];
  const server = createServer((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push({ body: await text(request), headers: request.headers });
    const [next = fine, ...later] = answers;
    if (later.length > 0) answers = later;
    next(response, request);
  }

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    [answers, requests, tokens] = [[fine], [], ["first", "second", "third"]];
    time = new Date("2026-11-21T08:15:40.000Z");
  });
  after(() => {
    for (const client of open) client.close();
    server.close();
    server.closeAllConnections();
  });

  const credentials: CredentialProvider = ({ forceRefresh = false } = {}) => {
    if (forceRefresh) tokens.shift();
    return Promise.resolve({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: tokens[0] });
  };
  function openClient(limits: { readonly attempts?: number; readonly timeoutMs?: number } = {}): TableClient {
    const { attempts = 3, ...timeouts } = limits;
    const post = createSignedPost({
      endpoint,
      region: "eu-central-1",
      service: "dynamodb",
      credentials,
      clock: { now: () => time },
      ...timeouts,
    });
    const client = createDynamoClient({ post, attempts, random: () => 0 });
    open.push(client);
    return client;
  }
  async function refused(answer: Answer, client = openClient()): Promise<DriftlessError> {
    answers = [answer];
    return client.call("GetItem", key).then(
      () => assert.fail("the call was answered"),
      (error: unknown) => (error instanceof DriftlessError ? error : assert.fail(String(error))),
    );
  }

  test("a call is one signed request of DynamoDB's JSON protocol, over a connection that stays open", async () => {
    const client = openClient();
    assert.deepEqual(await client.call("GetItem", key), item);
    await client.call("GetItem", key);
    const [first, second] = requests;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(JSON.parse(first.body), key);
    const unsigned = { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem" };
    const { headers, authorization } = signPost({
      host: endpoint.slice("http://".length),
      region: "eu-central-1",
      service: "dynamodb",
      headers: unsigned,
      body: first.body,
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "first" },
      at: time,
    });
    const sent = { ...headers, authorization: authorization.reveal(), "content-length": String(first.body.length) };
    for (const [name, value] of Object.entries(sent)) assert.equal(first.headers[name], value, name);
    const connections = await new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
    assert.equal(connections, 1);
  });

  test("a condition that does not hold is an answer, and no reason to ask again", async () => {
    answers = [refusal(400, "ConditionalCheckFailedException")];
    assert.equal(await openClient().call("PutItem", key), undefined);
    assert.equal(requests.length, 1);
  });

  const passing: Readonly<Record<string, Answer>> = {
    "a throttled call": refusal(400, "ThrottlingException"),
    "too much for a partition": refusal(400, "ProvisionedThroughputExceededException"),
    "a fault of the service": refusal(500, "InternalServerError"),
    "a gateway's page": (response) => response.writeHead(503).end("<html>"),
    "a connection that is reset": (_response, request) => request.socket.resetAndDestroy(),
    "a connection that ends in the middle of the answer": (response, request) => {
      response.writeHead(200, { "content-length": "1000" }).write("{");
      setImmediate(() => request.socket.destroy());
    },
    "an answer that is not JSON": (response) => reply(response, 200, '{"Item":'),
    "an answer that is a bare text": (response) => reply(response, 200, '"Item"'),
    "an answer whose checksum is another": (response) => reply(response, 200, "{}", { "x-amz-crc32": "1" }),
  };
  for (const [what, answer] of Object.entries(passing)) {
    test(`${what} is asked again; when it stays so, that is an error that may pass`, async () => {
      answers = [answer, answer, fine];
      assert.deepEqual(await openClient().call("GetItem", key), item);
      assert.equal(requests.length, 3);
      requests = [];
      const error = await refused(answer);
      assert.deepEqual([error.code, error.retryable, requests.length], ["store", true, 3]);
      assert.match(error.message, /^table driftless: GetItem failed: /);
      assert.equal(error.facts["table"], "driftless");
    });
  }

  const permanent: Readonly<Record<string, readonly [Answer, fault: string]>> = {
    "a request that is wrong": [refusal(400, "ValidationException"), "ValidationException"],
    "a right that is missing": [refusal(400, "AccessDeniedException"), "AccessDeniedException"],
    "a table that is not there": [refusal(400, "ResourceNotFoundException"), "ResourceNotFoundException"],
    "a request that is too large": [(response) => response.writeHead(413).end(), "RequestEntityTooLarge"],
  };
  for (const [what, [answer, fault]] of Object.entries(permanent)) {
    test(`${what} is an error at once, which no retry mends`, async () => {
      const error = await refused(answer);
      assert.deepEqual([error.retryable, error.facts["fault"], requests.length], [false, fault, 1]);
    });
  }

  test("a service that does not answer in time is asked again, and is an error that may pass", async () => {
    const error = await refused(() => undefined, openClient({ attempts: 2, timeoutMs: 50 }));
    assert.deepEqual([error.retryable, error.facts["fault"], requests.length], [true, "ETIMEDOUT", 2]);
  });

  test("a call that is given up ends at once, and is not asked again", async () => {
    const ending = new AbortController();
    answers = [() => ending.abort(new Error("the deadline passed"))];
    await assert.rejects(openClient().call("GetItem", key, { signal: ending.signal }), /the deadline passed/);
    await assert.rejects(openClient().call("GetItem", key, { signal: ending.signal }), /the deadline passed/);
    assert.equal(requests.length, 1);
  });

  test("credentials that expired are replaced, once", async () => {
    answers = [refusal(400, "ExpiredTokenException"), fine];
    const client = openClient();
    assert.deepEqual(await client.call("GetItem", key), item);
    await client.call("GetItem", key);
    assert.deepEqual(
      requests.map(({ headers }) => headers["x-amz-security-token"]),
      ["first", "second", "second"],
    );
    const error = await refused(refusal(400, "UnrecognizedClientException"));
    assert.deepEqual([error.retryable, requests.length], [false, 5]);
  });

  test("a machine whose clock is wrong signs by the service's time from then on", async () => {
    answers = [refusal(400, "InvalidSignatureException", { date: "Sat, 21 Nov 2026 09:00:00 GMT" }), fine];
    const client = openClient();
    await client.call("GetItem", key);
    time = new Date("2026-11-21T08:16:40.000Z");
    await client.call("GetItem", key);
    assert.deepEqual(
      requests.map(({ headers }) => headers["x-amz-date"]),
      ["20261121T081540Z", "20261121T090000Z", "20261121T090100Z"],
    );
  });
});
