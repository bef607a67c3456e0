import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createFifoQueue, startQueue } from "../../cli/local/queue.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { createConsumer } from "../../lib/queue/consume.ts";
import { createSqsQueue, createSqsRetry } from "../../lib/queue/sqs.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { jsonLog, silentLog } from "../../lib/telemetry/log.ts";
import type { Measured } from "../../lib/telemetry/metrics.ts";

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
      clock: systemClock,
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
    const consume = createConsumer({ work: fail, retry: fail, clock: systemClock, log: silentLog });
    assert.deepEqual(await consume({ Records: [record("a")] }), { batchItemFailures: [{ itemIdentifier: "id-a" }] });
  });
});

describe("what a message tells", () => {
  const sent = Date.parse("2026-01-31T12:00:00.000Z");
  const clock = { now: () => new Date(sent + 2500) };
  const message = { repository: "https://host/a.git", branch: "main", after: "", correlationId: "d1" };
  const nothing = () => Promise.resolve();

  test("how long it waited is measured when its work begins", async () => {
    const measured: Measured[] = [];
    const metrics = { emit: (each: Measured) => void measured.push(each) };
    const consume = createConsumer({ work: nothing, retry: nothing, clock, metrics, log: silentLog });
    const told = { ...record("{}"), attributes: { ApproximateReceiveCount: "1", SentTimestamp: String(sent) } };
    await consume({ Records: [told, record("{}")] });
    assert.deepEqual(measured, [{ values: { QueueAge: 2.5 } }]);
  });

  test("its correlation id stands in the lines that say that it failed", async () => {
    const lines: string[] = [];
    const log = jsonLog({ write: (line) => lines.push(line) });
    const fail = () => Promise.reject(new Error("no"));
    await createConsumer({ work: fail, retry: fail, clock, log })({ Records: [record(JSON.stringify(message)), record("junk")] });
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      told.map(({ event, correlationId }) => [event, correlationId]),
      [
        ["queue.work-failed", "d1"],
        ["queue.retry-late", "d1"],
        ["queue.work-failed", undefined],
        ["queue.retry-late", undefined],
      ],
    );
  });
});

describe("a message that a host asked to put off", () => {
  const limited = (retryAfterSeconds: number, retryable = true) =>
    new DriftlessError("source", "too many requests", { retryable, facts: { retryAfterSeconds } });

  test("goes back with just that wait, as a warning; without a wait it goes back as ever, as an error", async () => {
    const lines: string[] = [];
    const retried: unknown[] = [];
    const errors = [limited(120), new DriftlessError("source", "the server failed", { retryable: true }), limited(60, false)];
    const consume = createConsumer({
      work: () => Promise.reject(errors.shift()),
      retry: async (message) => {
        retried.push(message);
      },
      clock: systemClock,
      log: jsonLog({ write: (line) => lines.push(line) }),
    });
    const { batchItemFailures } = await consume({ Records: [record("a", 3), record("b", 3), record("c")] });
    assert.equal(batchItemFailures.length, 3);
    assert.deepEqual(retried, [
      { receiptHandle: "handle-a", receiveCount: 3, waitSeconds: 120 },
      { receiptHandle: "handle-b", receiveCount: 3 },
      { receiptHandle: "handle-c", receiveCount: 1 },
    ]);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as Record<string, unknown>).map(({ level, event }) => [level, event]),
      [
        ["warn", "queue.put-off"],
        ["error", "queue.work-failed"],
        ["error", "queue.work-failed"],
      ],
    );
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

  test("is hidden for just the seconds that were asked for, at least one and less than the twelve hours of SQS", async () => {
    const { queueUrl } = await createFifoQueue({
      client,
      endpoint: service.endpoint,
      name: "wait",
      visibilityTimeout: 3600,
      maxReceiveCount: 50,
    });
    const message = { repository: "https://github.com/acme/shop", branch: "main", correlationId: "d", after: "c" };
    await createSqsQueue({ client, queueUrl }).send(message, { deduplicationId: "d" });
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 5 }));
    const receiptHandle = Messages?.[0]?.ReceiptHandle ?? "";
    const sent: unknown[] = [];
    const watched = new SQSClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
    watched.middlewareStack.add(
      (next) => (args) => {
        sent.push((args.input as { VisibilityTimeout?: number }).VisibilityTimeout);
        return next(args);
      },
      { step: "initialize" },
    );
    const retry = createSqsRetry({ client: watched, queueUrl });
    for (const waitSeconds of [120, 60, 3599, 0, 0.2, 86_400]) await retry({ receiptHandle, receiveCount: 4, waitSeconds });
    watched.destroy();
    assert.deepEqual(sent, [120, 60, 3599, 1, 1, 42_900]);
    const again = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    assert.deepEqual(again.Messages ?? [], [], "it waits");
  });
});
