import { isDriftlessError } from "../errors.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { parseRevisionMessage } from "./message.ts";
import type { ReceivedMessage } from "./sqs.ts";

/** What a consumer needs of a record of an SQS event. */
export interface QueueRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** `SentTimestamp` is in milliseconds since 1970. */
  readonly attributes: { readonly ApproximateReceiveCount: string; readonly SentTimestamp?: string };
}

export interface ConsumerDeps {
  readonly work: (body: string) => Promise<void>;
  /** Puts a failed message back so that it is seen again soon, or after the wait that a host asked for. */
  readonly retry: (message: ReceivedMessage) => Promise<void>;
  readonly clock: Clock;
  /** Is told how long each message waited. */
  readonly metrics?: Metrics;
  readonly log: Log;
}

/** Works off the records of one event in order; one that fails goes back to the queue, alone: the answer names it. */
export function createConsumer({ work, retry, clock, metrics, log: base }: ConsumerDeps) {
  return async ({ Records }: { readonly Records: readonly QueueRecord[] }) => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, receiptHandle, body, attributes } of Records) {
      const log = base.with(correlationOf(body));
      const waitedMs = clock.now().getTime() - Number(attributes.SentTimestamp);
      if (waitedMs >= 0) metrics?.emit({ values: { QueueAge: waitedMs / 1000 } });
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

/** Nothing for a message that cannot be read: its work says so. */
function correlationOf(body: string): { readonly correlationId?: string } {
  try {
    return { correlationId: parseRevisionMessage(body).correlationId };
  } catch {
    return {};
  }
}

/** Seconds that a host asked to wait, such as a rate limit's: nobody sleeps in a function for it. */
function askedWait(error: unknown): number | undefined {
  const seconds = isDriftlessError(error) && error.retryable ? error.facts["retryAfterSeconds"] : undefined;
  return typeof seconds === "number" ? seconds : undefined;
}
