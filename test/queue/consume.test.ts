import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createFifoQueue, startQueue } from "../../cli/local/queue.ts";
import { createConsumer } from "../../lib/queue/consume.ts";
import { createSqsQueue, createSqsRetry } from "../../lib/queue/sqs.ts";
import { silentLog } from "../../lib/telemetry/log.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const record = (body: string, receiveCount = 1) => ({
  messageId: `id-${body}`,
  receiptHandle: `handle-${body}`,
  body,
  attributes: { ApproximateReceiveCount: String(receiveCount) },
});

describe("the consumer of a queue", () => {
  test("works off records in order and names the failed ones alone", async () => {
    const worked: string[] = [];
    const retried: unknown[] = [];
    const consume = createConsumer({
      work: async (body) => {
        worked.push(body);
        if (body === "b") throw new Error("not now");
      },
      retry: async (message) => {
        retried.push(message);
      },
      log: silentLog,
    });
    assert.deepEqual(await consume({ Records: [record("a"), record("b", 2), record("c")] }), {
      batchItemFailures: [{ itemIdentifier: "id-b" }],
    });
    assert.deepEqual(worked, ["a", "b", "c"]);
    assert.deepEqual(retried, [{ receiptHandle: "handle-b", receiveCount: 2 }]);
  });

  test("still names a failed record when it cannot be put back early", async () => {
    const fail = () => Promise.reject(new Error("no"));
    const consume = createConsumer({ work: fail, retry: fail, log: silentLog });
    assert.deepEqual(await consume({ Records: [record("a")] }), { batchItemFailures: [{ itemIdentifier: "id-a" }] });
  });
});

describe("a failed message", () => {
  let service: Awaited<ReturnType<typeof startQueue>>;
  let client: SQSClient;
  before(async () => {
    service = await startQueue();
    client = new SQSClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
  });
  after(async () => {
    client.destroy();
    await service.close();
  });

  test("is seen again long before the queue's visibility timeout", async () => {
    const { queueUrl } = await createFifoQueue({
      client,
      endpoint: service.endpoint,
      name: "retry",
      visibilityTimeout: 3600,
      maxReceiveCount: 5,
    });
    const message = { repository: "https://github.com/acme/shop", branch: "main", correlationId: "d", after: "c" };
    await createSqsQueue({ client, queueUrl }).send(message, { deduplicationId: "d" });
    const receive = async (seconds: number) =>
      (await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: seconds }))).Messages?.[0];
    const first = await receive(5);
    assert.ok(first?.ReceiptHandle);
    await createSqsRetry({ client, queueUrl })({ receiptHandle: first.ReceiptHandle, receiveCount: 1 });
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["VisibilityTimeout"] }),
    );
    assert.equal(Attributes?.["VisibilityTimeout"], "3600");
    assert.equal((await receive(15))?.MessageId, first.MessageId);
  });
});
