import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { isDriftlessError } from "../../lib/errors.ts";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { createLambdaStarter, executionName } from "../../lib/queue/lambda.ts";

const batch: SyncBatch = {
  cluster: "eu",
  project: "default",
  revision: "6dcb09b",
  trigger: "push",
  correlationId: "d-1",
  applications: [{ name: "shop", generation: 4 }],
};

/** Answers as Lambda's API does: 202 for a new name or the same payload, a conflict for another payload. */
describe("starting a run", () => {
  const runs = new Map<string, string>();
  const requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  let server: Server;
  let client: LambdaClient;
  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        requests.push({ url: request.url ?? "", headers: request.headers });
        const name = String(request.headers["x-amz-durable-execution-name"]);
        const conflict = runs.has(name) && runs.get(name) !== body;
        if (conflict) {
          response.writeHead(409, {
            "content-type": "application/json",
            "x-amzn-errortype": "DurableExecutionAlreadyStartedException",
          });
          response.end(JSON.stringify({ Type: "User", message: "already started with another payload" }));
          return;
        }
        runs.set(name, body);
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    client = new LambdaClient({ endpoint: `http://127.0.0.1:${port}`, region: "eu-central-1", credentials });
  });
  beforeEach(() => {
    runs.clear();
    requests.length = 0;
  });
  after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  test("a run is started without waiting for it, under its name, with the batch", async () => {
    await createLambdaStarter({ client, functionName: "driftless-sync:live" }).start(batch, { name: "eu-shop-4" });
    assert.equal(requests[0]?.url, "/2015-03-31/functions/driftless-sync%3Alive/invocations");
    assert.equal(requests[0]?.headers["x-amz-invocation-type"], "Event");
    assert.deepEqual(JSON.parse(runs.get("eu-shop-4") ?? ""), batch);
  });

  test("the same name and batch twice is one run, in whatever order its keys stand", async () => {
    const starter = createLambdaStarter({ client, functionName: "driftless-sync:live" });
    await starter.start(batch, { name: "eu-shop-4" });
    await starter.start(Object.fromEntries(Object.entries(batch).toReversed()) as unknown as SyncBatch, { name: "eu-shop-4" });
    assert.equal(runs.size, 1);
  });

  test("the same name for another batch is an error that no retry mends", async () => {
    const starter = createLambdaStarter({ client, functionName: "driftless-sync:live" });
    await starter.start(batch, { name: "eu-shop-4" });
    await assert.rejects(
      starter.start({ ...batch, revision: "other" }, { name: "eu-shop-4" }),
      (error) =>
        isDriftlessError(error, "queue") &&
        !error.retryable &&
        error.facts["fault"] === "DurableExecutionAlreadyStartedException",
    );
  });

  test("a name that Lambda would refuse keeps its beginning and stays unique", () => {
    assert.equal(executionName("eu-shop_4"), "eu-shop_4");
    const names = ["eu/shop@4", "eu/shop#4", "a".repeat(65), "a".repeat(66), ""].map(executionName);
    assert.equal(new Set(names).size, 5);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    assert.match(names[0]!, /^eu-shop-4-/);
  });
});
