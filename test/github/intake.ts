import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createFifoQueue, startQueue } from "../../cli/local/queue.ts";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import type { Delivery, RevisionMessage } from "../../lib/model/delivery.ts";
import { parseRevisionMessage } from "../../lib/queue/message.ts";
import type { RevisionQueue } from "../../lib/queue/queue.ts";
import { createSqsQueue } from "../../lib/queue/sqs.ts";
import { createDeliveries } from "../../lib/store/deliveries.ts";
import { createItems } from "../../lib/store/items.ts";
import type { DeliveryStore } from "../../lib/store/store.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";

/** The embedded table and queue around the tests of a suite. */
export interface Intake {
  readonly table: string;
  readonly queueUrl: string;
  readonly endpoints: { readonly table: string; readonly queue: string };
  readonly deliveries: DeliveryStore;
  readonly queue: RevisionQueue;
  rows(): Promise<readonly Delivery[]>;
  rowOf(id: string): Promise<Delivery | undefined>;
  /** Takes everything out of the queue. */
  drain(): Promise<readonly RevisionMessage[]>;
}

/** Opens both before the first test of the suite at hand, and closes them after its last; to be read inside tests only. */
export function intakeAround({ clock = systemClock }: { readonly clock?: Clock } = {}): Intake {
  const opened: { intake?: Intake } = {};
  const closing: (() => unknown)[] = [];
  before(async () => {
    const [tableService, queueService] = await Promise.all([startTable(), startQueue()]);
    const shared = { region: "eu-central-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
    const dynamo = openTable(tableService.endpoint);
    const sqs = new SQSClient({ ...shared, endpoint: queueService.endpoint });
    closing.push(
      () => dynamo.close(),
      () => sqs.destroy(),
      () => tableService.close(),
      () => queueService.close(),
    );
    const table = "driftless";
    await createTable({ client: dynamo, table });
    const { queueUrl } = await createFifoQueue({
      client: sqs,
      endpoint: queueService.endpoint,
      name: "revisions",
      visibilityTimeout: 60,
      maxReceiveCount: 5,
    });
    const items = createItems({ client: dynamo, table });
    const deliveries = createDeliveries({ items, clock, newId: randomUUID });
    const rows = async () => (await deliveries.list({ limit: 1000 })).items;
    opened.intake = {
      table,
      queueUrl,
      endpoints: { table: tableService.endpoint, queue: queueService.endpoint },
      deliveries,
      queue: createSqsQueue({ client: sqs, queueUrl }),
      rows,
      rowOf: async (id) => (await rows()).find((row) => row.id === id),
      drain: () => drain(sqs, queueUrl),
    };
  });
  after(async () => {
    for (const close of closing) await close();
  });
  return new Proxy({} as Intake, { get: (_target, name) => opened.intake?.[name as keyof Intake] });
}

async function drain(client: SQSClient, queueUrl: string): Promise<RevisionMessage[]> {
  const messages: RevisionMessage[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return messages;
    for (const { Body = "", ReceiptHandle } of Messages) {
      messages.push(parseRevisionMessage(Body));
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}
