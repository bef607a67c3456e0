import { DriftlessError } from "../errors.ts";
import type { RevisionMessage } from "../model/delivery.ts";
import { isJsonObject, type JsonValue, parseJson } from "../model/json.ts";

const fields = ["repository", "branch", "correlationId", "after"] as const;

/** Names and ids only, in ASCII: SQS refuses some characters that a branch may have. */
export function writeRevisionMessage(message: RevisionMessage): string {
  const { repository, branch, correlationId, after, repositoryId } = message;
  const text = JSON.stringify({ repository, branch, correlationId, after, repositoryId });
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Reads the body of a message. Throws `queue`, not retryable, for anything that `writeRevisionMessage` did not write. */
export function parseRevisionMessage(body: string): RevisionMessage {
  const message = parsed(body);
  const [repository, branch, correlationId, after] = fields.map((field) => {
    const value = isJsonObject(message) ? message[field] : undefined;
    if (typeof value !== "string") throw new DriftlessError("queue", `the message has no text "${field}"`, { facts: { field } });
    return value;
  }) as [string, string, string, string];
  const repositoryId = isJsonObject(message) ? message["repositoryId"] : undefined;
  if (repositoryId === undefined) return { repository, branch, correlationId, after };
  if (typeof repositoryId !== "number" || !Number.isSafeInteger(repositoryId))
    throw new DriftlessError("queue", 'the message\'s "repositoryId" is no whole number', { facts: { field: "repositoryId" } });
  return { repository, branch, correlationId, after, repositoryId };
}

function parsed(body: string): JsonValue {
  try {
    return parseJson(body);
  } catch (cause) {
    throw new DriftlessError("queue", "the message is not JSON", { cause });
  }
}
