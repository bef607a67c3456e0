import { createHash } from "node:crypto";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { DriftlessError, messageOf } from "../errors.ts";
import { canonicalJson, type JsonValue } from "../model/json.ts";
import type { SyncStarter } from "./queue.ts";

const longestName = 64;
/** What the same call cannot mend. */
const permanent = new Set([
  "AccessDeniedException",
  "DurableExecutionAlreadyStartedException",
  "InvalidParameterValueException",
  "InvalidRequestContentException",
  "RequestTooLargeException",
  "ResourceNotFoundException",
]);

/**
 * Starts runs of the durable function `functionName`, which needs its version or alias (`driftless-sync:live`).
 * Lambda itself makes the same name and payload twice one execution; the same name for another batch throws.
 */
export function createLambdaStarter({ client, functionName }: { client: LambdaClient; functionName: string }): SyncStarter {
  return {
    async start(batch, { name, signal }) {
      const command = new InvokeCommand({
        FunctionName: functionName,
        InvocationType: "Event",
        DurableExecutionName: executionName(name),
        // Canonical, since Lambda compares payloads byte by byte.
        Payload: Buffer.from(canonicalJson(batch as unknown as JsonValue)),
      });
      try {
        await client.send(command, signal ? { abortSignal: signal } : {});
      } catch (cause) {
        const fault = cause instanceof Error ? cause.name : "unknown";
        throw new DriftlessError("queue", `run ${name} could not be started: ${messageOf(cause)}`, {
          cause,
          retryable: !permanent.has(fault),
          facts: { name, fault, correlationId: batch.correlationId },
        });
      }
    },
  };
}

/** A name that Lambda takes: itself when it can be, else its beginning and a hash of all of it. */
export function executionName(name: string): string {
  const allowed = name.replace(/[^A-Za-z0-9_-]/g, "-");
  if (allowed === name && name.length <= longestName && name !== "") return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return `${allowed.slice(0, longestName - hash.length - 1)}-${hash}`;
}
