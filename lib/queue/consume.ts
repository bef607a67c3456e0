import type { Log } from "../telemetry/log.ts";
import type { ReceivedMessage } from "./sqs.ts";

/** What a consumer needs of a record of an SQS event. */
export interface QueueRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

export interface ConsumerDeps {
  readonly work: (body: string) => Promise<void>;
  /** Puts a failed message back so that it is seen again soon. */
  readonly retry: (message: ReceivedMessage) => Promise<void>;
  readonly log: Log;
}

/** Works off the records of one event in order; one that fails goes back to the queue, alone: the answer names it. */
export function createConsumer({ work, retry, log }: ConsumerDeps) {
  return async ({ Records }: { readonly Records: readonly QueueRecord[] }) => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, receiptHandle, body, attributes } of Records) {
      try {
        await work(body);
      } catch (error) {
        log.error("queue.work-failed", { messageId, error });
        batchItemFailures.push({ itemIdentifier: messageId });
        const receiveCount = Number(attributes.ApproximateReceiveCount);
        await retry({ receiptHandle, receiveCount }).catch((cause: unknown) =>
          log.warn("queue.retry-late", { messageId, cause }),
        );
      }
    }
    return { batchItemFailures };
  };
}
