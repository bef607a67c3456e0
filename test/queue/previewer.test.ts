import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { DriftlessError, type ErrorCode, isDriftlessError } from "../../lib/errors.ts";
import type { SyncPreview } from "../../lib/model/plan.ts";
import { createLambdaPreviewer } from "../../lib/queue/lambda.ts";
import { answerPreview, type Preview } from "../../lib/queue/preview-answer.ts";

const shown: SyncPreview = {
  application: "shop",
  cluster: "eu",
  revision: "ddd",
  snapshot: "s-d",
  hash: "hash-d",
  prune: "deletes-d",
  changes: [
    {
      action: "change",
      ref: { group: "", version: "v1", kind: "Widget", namespace: "shop", name: "w" },
      fields: [{ path: "spec.serial", from: 9007199254740993n, to: 2, manager: "" }],
      reason: "",
    },
  ],
  unchanged: 4,
  blocked: "",
  warnings: [],
};

/** As Lambda has it: the function's answer as JSON, and of what it throws only name and message. */
describe("asking the preview function", () => {
  let server: Server;
  let client: LambdaClient;
  let work: Preview = async () => shown;
  const requests: { readonly url: string; readonly type: string; readonly body: string }[] = [];
  const previewer = () => createLambdaPreviewer({ client, functionName: "driftless-preview" });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    requests.push({ url: request.url ?? "", type: String(request.headers["x-amz-invocation-type"]), body });
    try {
      const answer = await answerPreview(work, JSON.parse(body) as { application: string });
      response.writeHead(200).end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(200, { "x-amz-function-error": "Unhandled" });
      response.end(JSON.stringify({ errorType: "Error", errorMessage: (error as Error).message }));
    }
  }

  before(async () => {
    server = createServer((request, response) => void respond(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    client = new LambdaClient({ endpoint: `http://127.0.0.1:${port}`, region: "eu-central-1", credentials });
  });
  after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  test("it is called by name, and waited for; integers come back exact", async () => {
    assert.deepEqual(await previewer()({ application: "shop", revision: "ddd" }), shown);
    assert.deepEqual(requests.at(-1), {
      url: "/2015-03-31/functions/driftless-preview/invocations",
      type: "RequestResponse",
      body: '{"application":"shop","revision":"ddd"}',
    });
  });

  const refusals: readonly (readonly [ErrorCode, boolean])[] = [
    ["not-found", false],
    ["render", false],
    ["cluster", true],
  ];
  for (const [code, retryable] of refusals) {
    test(`what it refuses with ${code} is thrown here as it was thrown there`, async () => {
      work = () => Promise.reject(new DriftlessError(code, "what, and where", { retryable }));
      await assert.rejects(
        previewer()({ application: "shop" }),
        (error) => isDriftlessError(error, code) && error.retryable === retryable && error.message === "what, and where",
      );
    });
  }

  test("a function that breaks, or runs out of time, is an error that may pass", async () => {
    work = () => Promise.reject(new Error("Task timed out after 28.00 seconds"));
    await assert.rejects(
      previewer()({ application: "shop" }),
      (error) =>
        isDriftlessError(error, "queue") &&
        error.retryable &&
        error.message === "the plan of shop was not made: Task timed out after 28.00 seconds",
    );
  });
});
