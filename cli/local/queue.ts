import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { DriftlessError } from "../../lib/errors.ts";
import type { LocalService } from "./table.ts";

/** Stands for SQS, in this process, in memory, on a free loopback port. */
export async function startQueue(): Promise<LocalService> {
  // Not the package's own start: that one listens on every interface.
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  return { endpoint, close: () => app.close() };
}

export interface FifoQueueOptions {
  readonly client: SQSClient;
  /** Where `startQueue` listens. */
  readonly endpoint: string;
  /** Without the `.fifo` that every such queue ends on. */
  readonly name: string;
  /** Seconds that a received message stays hidden. */
  readonly visibilityTimeout: number;
  /** Receives before a message goes to the dead letter queue. */
  readonly maxReceiveCount: number;
}

/** Makes `NAME.fifo` and its dead letter queue `NAME-dead.fifo`. */
export async function createFifoQueue(options: FifoQueueOptions): Promise<{ queueUrl: string; deadLetterUrl: string }> {
  const { client, endpoint, name, visibilityTimeout, maxReceiveCount } = options;
  const create = async (queue: string, attributes: Record<string, string>): Promise<string> => {
    const command = new CreateQueueCommand({ QueueName: `${queue}.fifo`, Attributes: { FifoQueue: "true", ...attributes } });
    const { QueueUrl } = await client.send(command);
    if (QueueUrl === undefined) throw new DriftlessError("queue", `queue ${queue}.fifo was not made`);
    // It answers with a host name of its own making, which not every resolver takes for this machine.
    return new URL(new URL(QueueUrl).pathname, endpoint).href;
  };
  const deadLetterUrl = await create(`${name}-dead`, {});
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ["QueueArn"] }),
  );
  const queueUrl = await create(name, {
    VisibilityTimeout: String(visibilityTimeout),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.["QueueArn"], maxReceiveCount }),
  });
  return { queueUrl, deadLetterUrl };
}
