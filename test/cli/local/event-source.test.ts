import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type EventSourceOptions, startEventSource } from "../../../cli/local/event-source.ts";
import type { InvocationResult } from "../../../cli/local/invocation.ts";
import { createFifoQueue, startQueue } from "../../../cli/local/queue.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { until } from "./fixtures/start.ts";

interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly eventSource: string;
  readonly eventSourceARN: string;
}

type Reply = (records: readonly SqsRecord[]) => InvocationResult | Promise<InvocationResult>;

interface Setup {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly send: (group: string, body: string) => Promise<unknown>;
  /** As a function does with a message that failed. */
  readonly putBack: (receiptHandle: string, seconds: number) => Promise<unknown>;
  readonly start: (reply: Reply, options?: Partial<EventSourceOptions>) => { close(): Promise<void> };
}

const opened: (() => Promise<unknown>)[] = [];

async function setUp(): Promise<Setup> {
  const queue = await startQueue();
  const { endpoint } = queue;
  const client = new SQSClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { queueUrl } = await createFifoQueue({ client, endpoint, name: "revisions", visibilityTimeout: 30, maxReceiveCount: 5 });
  const sources: { close(): Promise<void> }[] = [];
  opened.push(async () => {
    await Promise.all(sources.map((source) => source.close()));
    client.destroy();
    await queue.close();
  });
  let sent = 0;
  return {
    client,
    queueUrl,
    send: (MessageGroupId, MessageBody) => {
      sent += 1;
      const command = { QueueUrl: queueUrl, MessageBody, MessageGroupId, MessageDeduplicationId: `d-${sent}` };
      return client.send(new SendMessageCommand(command));
    },
    putBack: (ReceiptHandle, VisibilityTimeout) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout })),
    start(reply, options = {}) {
      const source = startEventSource({
        client,
        queueUrl,
        functionName: "plan",
        log: silentLog,
        invoke: async (_name, event) => reply((event as { Records: SqsRecord[] }).Records),
        ...options,
      });
      sources.push(source);
      return source;
    },
  };
}

const done: InvocationResult = { payload: { batchItemFailures: [] } };

async function isEmpty({ client, queueUrl }: Setup): Promise<boolean> {
  const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] }));
  return Attributes["ApproximateNumberOfMessages"] === "0" && Attributes["ApproximateNumberOfMessagesNotVisible"] === "0";
}

describe("the event source of the queue", () => {
  // All at once: each close waits for its long poll to end.
  after(() => Promise.all(opened.splice(0).map((close) => close())));

  test("messages arrive in the shape of the SQS event, each group in order, and are deleted when done", async () => {
    const setup = await setUp();
    const seen: SqsRecord[] = [];
    setup.start((records) => {
      seen.push(...records);
      return done;
    });
    for (const body of ["1", "2", "3"]) for (const group of ["a", "b"]) await setup.send(group, `${group}${body}`);
    await until(() => seen.length === 6);
    const ofGroup = (group: string): string[] =>
      seen.filter(({ attributes }) => attributes["MessageGroupId"] === group).map(({ body }) => body);
    assert.deepEqual(ofGroup("a"), ["a1", "a2", "a3"]);
    assert.deepEqual(ofGroup("b"), ["b1", "b2", "b3"]);
    assert.partialDeepStrictEqual(seen[0], {
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:revisions.fifo",
      attributes: { ApproximateReceiveCount: "1", MessageDeduplicationId: "d-1" },
    });
    await until(() => isEmpty(setup));
  });

  test("a message named in batchItemFailures is delivered again, before the others of its group; the rest is not", async () => {
    const setup = await setUp();
    const seen: string[] = [];
    setup.start(
      async (records) => {
        const fails = records.filter(({ body }) => body === "a1" && !seen.includes("a1"));
        seen.push(...records.map(({ body }) => body));
        for (const { receiptHandle } of fails) await setup.putBack(receiptHandle, 0);
        return { payload: { batchItemFailures: fails.map(({ messageId }) => ({ itemIdentifier: messageId })) } };
      },
      { retrySeconds: 3600 },
    );
    for (const [group, body] of [
      ["b", "b1"],
      ["a", "a1"],
      ["a", "a2"],
    ] as const)
      await setup.send(group, body);
    await until(() => seen.length === 4);
    assert.deepEqual(
      seen.filter((body) => body.startsWith("a")),
      ["a1", "a1", "a2"],
    );
    await until(() => isEmpty(setup));
    assert.equal(seen.length, 4);
  });

  test("a message that the function has put off stays put off, and its group waits with it", async () => {
    const setup = await setUp();
    const seen: string[] = [];
    setup.start(
      async (records) => {
        seen.push(...records.map(({ body }) => body));
        const late = records.filter(({ body }) => body === "a1");
        for (const { receiptHandle } of late) await setup.putBack(receiptHandle, 3600);
        return { payload: { batchItemFailures: late.map(({ messageId }) => ({ itemIdentifier: messageId })) } };
      },
      { retrySeconds: 0 },
    );
    await setup.send("a", "a1");
    await until(() => seen.length === 1);
    await setup.send("a", "a2");
    for (const body of ["b1", "b2", "b3"]) await setup.send("b", body);
    await until(() => seen.includes("b3"));
    assert.deepEqual(seen, ["a1", "b1", "b2", "b3"]);
  });

  for (const [title, failure] of [
    ["an invocation that fails", { error: { errorType: "Error", errorMessage: "no" } }],
    ["an answer that names an unknown message", { payload: { batchItemFailures: [{ itemIdentifier: "somebody" }] } }],
    ["an answer that names no message", { payload: { batchItemFailures: [{}] } }],
  ] as const) {
    test(`${title} deletes nothing`, async () => {
      const setup = await setUp();
      const counts: (string | undefined)[] = [];
      setup.start(
        ([record]) => {
          counts.push(record?.attributes["ApproximateReceiveCount"]);
          return counts.length === 1 ? failure : done;
        },
        { retrySeconds: 0 },
      );
      await setup.send("a", "a1");
      await until(() => counts.length === 2);
      assert.deepEqual(counts, ["1", "2"]);
      await until(() => isEmpty(setup));
    });
  }

  test("groups run side by side up to the limit, one group never", async () => {
    const setup = await setUp();
    const running = new Map<string, number>();
    let most = 0;
    let finished = 0;
    setup.start(
      async ([record]) => {
        const group = record?.attributes["MessageGroupId"] ?? "";
        assert.equal(running.get(group) ?? 0, 0);
        running.set(group, 1);
        most = Math.max(most, running.size);
        if (finished === 0) await until(() => most === 3);
        finished += 1;
        running.delete(group);
        return done;
      },
      { maximumConcurrency: 3 },
    );
    for (let index = 0; index < 12; index += 1) await setup.send(`g${index % 4}`, String(index));
    await until(() => finished === 12);
    assert.equal(most, 3);
  });

  test("closing waits for the batch under way and takes no other", async () => {
    const setup = await setUp();
    let begun = 0;
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const source = setup.start(async () => {
      begun += 1;
      await held;
      return done;
    });
    await setup.send("a", "a1");
    await until(() => begun === 1);
    const closing = source.close().then(() => "closed");
    assert.notEqual(await Promise.race([closing, setup.send("a", "a2")]), "closed");
    release();
    await closing;
    assert.equal(begun, 1);
    assert.equal(await isEmpty(setup), false);
  });
});
