import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createFifoQueue, startQueue } from "../../cli/local/queue.ts";
import { isDriftlessError } from "../../lib/errors.ts";
import type { RevisionMessage } from "../../lib/model/delivery.ts";
import { parseRevisionMessage } from "../../lib/queue/message.ts";
import { createSqsQueue } from "../../lib/queue/sqs.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };

function aMessage(change: Partial<RevisionMessage> = {}): RevisionMessage {
  return { repository: "https://github.com/acme/shop.git", branch: "main", correlationId: "d-1", after: "c1", ...change };
}

describe("the queue of moved branches", () => {
  let service: Awaited<ReturnType<typeof startQueue>>;
  let client: SQSClient;
  let made = 0;
  before(async () => {
    service = await startQueue();
    client = new SQSClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
  });
  after(async () => {
    client.destroy();
    await service.close();
  });

  async function aQueue(options: { visibilityTimeout?: number; maxReceiveCount?: number } = {}) {
    made += 1;
    const { visibilityTimeout = 30, maxReceiveCount = 5 } = options;
    const urls = await createFifoQueue({
      client,
      endpoint: service.endpoint,
      name: `q-${made}`,
      visibilityTimeout,
      maxReceiveCount,
    });
    return { ...urls, queue: createSqsQueue({ client, queueUrl: urls.queueUrl }) };
  }

  /** Receives and deletes until nothing comes. */
  async function drain(queueUrl: string): Promise<RevisionMessage[]> {
    const messages: RevisionMessage[] = [];
    for (let round = 0; round < 50; round += 1) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) break;
      for (const { Body, ReceiptHandle } of Messages) {
        messages.push(parseRevisionMessage(Body ?? ""));
        await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
      }
    }
    return messages;
  }

  test("a delivery sent five times arrives once", async () => {
    const { queue, queueUrl } = await aQueue();
    for (let time = 0; time < 5; time += 1) await queue.send(aMessage(), { deduplicationId: "d-1" });
    assert.deepEqual(await drain(queueUrl), [aMessage()]);
  });

  test("the repository's id arrives with its message", async () => {
    const { queue, queueUrl } = await aQueue();
    await queue.send(aMessage({ repositoryId: 186853002 }), { deduplicationId: "d-1" });
    assert.deepEqual(await drain(queueUrl), [aMessage({ repositoryId: 186853002 })]);
  });

  test("a branch that goes from A to B and back to A arrives three times, in order", async () => {
    const { queue, queueUrl } = await aQueue();
    for (const [n, commit] of ["A", "B", "A"].entries())
      await queue.send(aMessage({ after: commit }), { deduplicationId: `d-${n}` });
    const messages = await drain(queueUrl);
    assert.deepEqual(
      messages.map((message) => message.after),
      ["A", "B", "A"],
    );
  });

  test("one delivery that moves two branches arrives for both", async () => {
    const { queue, queueUrl } = await aQueue();
    for (const branch of ["main", "release"]) await queue.send(aMessage({ branch }), { deduplicationId: "d-1" });
    assert.deepEqual((await drain(queueUrl)).map((message) => message.branch).toSorted(), ["main", "release"]);
  });

  test("while a message of a branch is in work the next one of it waits, whatever name the repository goes by, and others do not", async () => {
    const { queue, queueUrl } = await aQueue();
    const receive = async () => {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
      return Messages.map((message) => ({ ...parseRevisionMessage(message.Body ?? ""), receipt: message.ReceiptHandle }));
    };
    await queue.send(aMessage({ after: "c1" }), { deduplicationId: "d-1" });
    const [first] = await receive();
    await queue.send(aMessage({ after: "c2", repository: "git@github.com:Acme/Shop" }), { deduplicationId: "d-2" });
    assert.deepEqual(await receive(), []);
    await queue.send(aMessage({ branch: "release" }), { deduplicationId: "d-3" });
    assert.deepEqual(
      (await receive()).map((message) => message.branch),
      ["release"],
    );
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: first?.receipt }));
    assert.deepEqual(
      (await receive()).map((message) => message.after),
      ["c2"],
    );
  });

  test("B9: a branch with any characters arrives as it is named", async () => {
    const { queue, queueUrl } = await aQueue();
    for (const [n, branch] of ["feature/ünï-😀", "odd\uFFFE\uFFFF", 'quo"te\\', "x".repeat(300)].entries()) {
      await queue.send(aMessage({ branch }), { deduplicationId: `d-${n}` });
    }
    assert.deepEqual((await drain(queueUrl)).map((message) => message.branch).toSorted(), [
      "feature/ünï-😀",
      "odd\uFFFE\uFFFF",
      'quo"te\\',
      "x".repeat(300),
    ]);
  });

  test("B7: a message that fails too often goes to the dead letter queue and frees its branch", async () => {
    const { queue, queueUrl, deadLetterUrl } = await aQueue({ visibilityTimeout: 0, maxReceiveCount: 2 });
    await queue.send(aMessage({ after: "poison" }), { deduplicationId: "d-1" });
    await queue.send(aMessage({ after: "fix" }), { deduplicationId: "d-2" });
    const seen: string[] = [];
    for (let round = 0; round < 10 && !seen.includes("fix"); round += 1) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
      seen.push(...Messages.map((message) => parseRevisionMessage(message.Body ?? "").after));
    }
    assert.deepEqual(seen, ["poison", "poison", "fix"]);
    assert.deepEqual(
      (await drain(deadLetterUrl)).map((message) => message.after),
      ["poison"],
    );
  });

  test("a queue that cannot be reached is a retryable error of the queue", async () => {
    const { queueUrl } = await aQueue();
    const nowhere = new SQSClient({ endpoint: "http://127.0.0.1:1", region: "eu-central-1", credentials, maxAttempts: 1 });
    const queue = createSqsQueue({ client: nowhere, queueUrl });
    await assert.rejects(
      queue.send(aMessage(), { deduplicationId: "d-1" }),
      (error) => isDriftlessError(error, "queue") && error.retryable,
    );
    nowhere.destroy();
  });

  test("a queue that is not there, and a send whose deadline has passed, are retryable errors of the queue", async () => {
    const missing = createSqsQueue({ client, queueUrl: new URL("/000000000000/none.fifo", service.endpoint).href });
    const { queue } = await aQueue();
    for (const attempt of [
      () => missing.send(aMessage(), { deduplicationId: "d-1" }),
      () => queue.send(aMessage(), { deduplicationId: "d-1", signal: AbortSignal.abort() }),
    ]) {
      await assert.rejects(attempt, (error) => isDriftlessError(error, "queue") && error.retryable);
    }
  });

  test("a message of someone else is refused, and says what is missing", () => {
    for (const [body, word] of [
      ["not json", /not JSON/],
      ["[]", /"repository"/],
      ['{"repository":"r","branch":7,"correlationId":"","after":""}', /"branch"/],
      ['{"repository":"r","branch":"b","correlationId":"","after":"","repositoryId":"1"}', /"repositoryId"/],
      ['{"repository":"r","branch":"b","correlationId":"","after":"","repositoryId":1.5}', /"repositoryId"/],
    ] as const) {
      assert.throws(
        () => parseRevisionMessage(body),
        (error) => isDriftlessError(error, "queue") && !error.retryable && word.test(error.message),
      );
    }
  });
});
