import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { messageOf } from "../../lib/errors.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import type { InvocationResult, InvokeFunction } from "./invocation.ts";

/** Stands for the event source mapping of an SQS queue: Lambda's poller. */
export interface EventSource {
  /** Receives no more (within `waitSeconds`) and waits for the batches under way. */
  close(): Promise<void>;
}

export interface EventSourceOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly functionName: string;
  readonly invoke: InvokeFunction;
  readonly log: Log;
  /** Batches at once, each of one message group; default 5. */
  readonly maximumConcurrency?: number;
  /**
   * After this, not after the queue's visibility timeout, the messages of an invocation that failed are seen again. A
   * message that the answer names as failed is the function's own to put back.
   */
  readonly retrySeconds?: number;
  /** Of one long poll; default 1, so that closing is quick without cutting off a poll that may just hold a message. */
  readonly waitSeconds?: number;
}

/** Polls until closed; a message that did not fail is deleted, a failed one is left to be seen again. */
export function startEventSource(options: EventSourceOptions): EventSource {
  const { log, maximumConcurrency = 5 } = options;
  const batches = new Set<Promise<void>>();
  const state = { closed: false };

  const poll = async (): Promise<void> => {
    while (!state.closed) {
      if (batches.size >= maximumConcurrency) {
        await Promise.race(batches);
        continue;
      }
      for (const group of byGroup(await receive(options, state))) {
        const batch = deliver(options, group)
          .catch((error: unknown) => log.warn("event-source.failed", { error: messageOf(error) }))
          .finally(() => batches.delete(batch));
        batches.add(batch);
      }
    }
  };
  const polling = poll();
  return {
    async close() {
      state.closed = true;
      await polling;
      await Promise.all(batches);
    },
  };
}

async function receive(
  { client, queueUrl, log, waitSeconds = 1 }: EventSourceOptions,
  state: { readonly closed: boolean },
): Promise<readonly Message[]> {
  try {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
    );
    return Messages;
  } catch (error) {
    if (state.closed) return [];
    log.warn("event-source.receive-failed", { error: messageOf(error) });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [];
  }
}

function byGroup(messages: readonly Message[]): readonly (readonly Message[])[] {
  return [...Map.groupBy(messages, (message) => message.Attributes?.MessageGroupId ?? message.MessageId).values()];
}

async function deliver(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const { functionName, invoke, log, queueUrl } = options;
  const result = await invoke(functionName, { Records: messages.map((message) => recordOf(message, queueUrl)) });
  if ("error" in result) log.warn("event-source.batch-failed", { functionName, error: result.error.errorMessage });
  const failed = namedFailures(result, messages);
  const done = failed === undefined ? [] : messages.filter(({ MessageId }) => !failed.has(MessageId));
  if (done.length > 0) await deleteAll(options, done);
  if (failed === undefined) await retrySoon(options, messages);
}

/** As Lambda reads it: undefined, an error or an answer that names no message of the batch, fails all of them. */
function namedFailures(result: InvocationResult, messages: readonly Message[]): ReadonlySet<string | undefined> | undefined {
  const all = new Set(messages.map(({ MessageId }) => MessageId));
  if ("error" in result) return undefined;
  const { batchItemFailures = [] } = (result.payload ?? {}) as {
    readonly batchItemFailures?: readonly { readonly itemIdentifier?: string }[] | null;
  };
  const named = new Set((batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  return [...named].every((id) => all.has(id)) ? named : undefined;
}

async function deleteAll({ client, queueUrl, log }: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const { Failed = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  for (const { Code, Message } of Failed) log.warn("event-source.delete-failed", { code: Code, error: Message });
}

async function retrySoon({ client, queueUrl, retrySeconds }: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  if (retrySeconds === undefined) return;
  for (const { ReceiptHandle } of messages) {
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: retrySeconds }));
  }
}

function recordOf(message: Message, queueUrl: string): unknown {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    {
      stringValue: value.StringValue,
      binaryValue: value.BinaryValue && Buffer.from(value.BinaryValue).toString("base64"),
      stringListValues: [],
      binaryListValues: [],
      dataType: value.DataType,
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(attributes) as unknown,
    md5OfBody: message.MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueUrl.slice(queueUrl.lastIndexOf("/") + 1)}`,
    awsRegion: "us-east-1",
  };
}
