import { createHash } from "node:crypto";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
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

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
