import { isDriftlessError } from "../errors.ts";
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
  /** Puts a failed message back so that it is seen again soon, or after the wait that a host asked for. */
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
        const waitSeconds = askedWait(error);
        if (waitSeconds === undefined) log.error("queue.work-failed", { messageId, error });
        else log.warn("queue.put-off", { messageId, waitSeconds, error });
        batchItemFailures.push({ itemIdentifier: messageId });
        const receiveCount = Number(attributes.ApproximateReceiveCount);
        await retry({ receiptHandle, receiveCount, ...(waitSeconds === undefined ? {} : { waitSeconds }) }).catch(
          (cause: unknown) => log.warn("queue.retry-late", { messageId, cause }),
        );
      }
    }
    return { batchItemFailures };
  };
}

/** Seconds that a host asked to wait, such as a rate limit's: nobody sleeps in a function for it. */
function askedWait(error: unknown): number | undefined {
  const seconds = isDriftlessError(error) && error.retryable ? error.facts["retryAfterSeconds"] : undefined;
  return typeof seconds === "number" ? seconds : undefined;
}
