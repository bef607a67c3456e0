import { createHash } from "node:crypto";
import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { DriftlessError, messageOf } from "../errors.ts";
import { repositoryKey } from "../model/repository.ts";
import { writeRevisionMessage } from "./message.ts";
import type { RevisionQueue } from "./queue.ts";

/** The FIFO queue at `queueUrl`; the client's own retries come first. */
export function createSqsQueue({ client, queueUrl }: { client: SQSClient; queueUrl: string }): RevisionQueue {
  return {
    async send(message, { deduplicationId, signal }) {
      // Hashed, since SQS takes 128 characters of ASCII and a branch may be anything.
      const group = hash(`${repositoryKey(message.repository)}\n${message.branch}`);
      const command = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: writeRevisionMessage(message),
        MessageGroupId: group,
        // SQS deduplicates over the whole queue: one delivery may concern several branches.
        MessageDeduplicationId: hash(`${group}\n${deduplicationId}`),
      });
      try {
        await client.send(command, signal ? { abortSignal: signal } : {});
      } catch (cause) {
        throw new DriftlessError("queue", `the queue did not take the message: ${messageOf(cause)}`, {
          cause,
          retryable: true,
          facts: { correlationId: message.correlationId },
        });
      }
    },
  };
}

/** Seconds before a failed message is tried again, by how often it was received; after the last it stays at that. */
const retrySeconds = [5, 15, 45, 135, 300] as const;

export interface ReceivedMessage {
  readonly receiptHandle: string;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
  /** Seconds until it is to be seen again, instead of the usual ones. */
  readonly waitSeconds?: number;
}

/** SQS hides a message for twelve hours at most, counted from when it was received. */
const longestWaitSeconds = 12 * 3600 - 300;

/**
 * Lets a failed message be seen again soon, or just after the wait that was asked for: the queue's own visibility timeout is six times the function's, so that a
 * branch would wait minutes for a fault of seconds. Where that fails the visibility timeout stands.
 */
export function createSqsRetry({
  client,
  queueUrl,
}: {
  client: SQSClient;
  queueUrl: string;
}): (message: ReceivedMessage) => Promise<void> {
  return async ({ receiptHandle, receiveCount, waitSeconds }) => {
    const usual = retrySeconds[Math.min(receiveCount, retrySeconds.length) - 1] ?? 5;
    const VisibilityTimeout =
      waitSeconds === undefined ? usual : Math.min(Math.max(1, Math.ceil(waitSeconds)), longestWaitSeconds);
    try {
      await client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout }),
      );
    } catch (cause) {
      throw new DriftlessError("queue", `the message could not be put back: ${messageOf(cause)}`, { cause, retryable: true });
    }
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
