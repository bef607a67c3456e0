import { createHash } from "node:crypto";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { DriftlessError, messageOf } from "../errors.ts";
import { signalWithin } from "../model/call.ts";
import { canonicalJson, type JsonValue } from "../model/json.ts";
import { type Preview, readPreviewAnswer } from "./preview-answer.ts";
import type { ShardStarter, SyncStarter } from "./queue.ts";

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

/** Starts the sweep function `functionName` for one cluster. */
export function createLambdaShardStarter({ client, functionName }: { client: LambdaClient; functionName: string }): ShardStarter {
  return {
    async start({ sweep, cluster }, { signal } = {}) {
      const Payload = Buffer.from(JSON.stringify({ sweep, cluster }));
      const command = new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload });
      try {
        await client.send(command, signal ? { abortSignal: signal } : {});
      } catch (cause) {
        const fault = cause instanceof Error ? cause.name : "unknown";
        throw new DriftlessError("queue", `the sweep of cluster ${cluster} could not be started: ${messageOf(cause)}`, {
          cause,
          retryable: !permanent.has(fault),
          facts: { cluster, fault },
        });
      }
    },
  };
}

/** Milliseconds to wait for a preview: a little more than it has, and less than the half minute of an HTTP API. */
const previewWithin = 27_000;

/** Asks the preview function `functionName`, and waits. What it refuses is thrown as it threw it; `queue` when it gave no answer. */
export function createLambdaPreviewer({ client, functionName }: { client: LambdaClient; functionName: string }): Preview {
  return async (request, options = {}) => {
    const Payload = Buffer.from(JSON.stringify(request));
    try {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: functionName, InvocationType: "RequestResponse", Payload }),
        { abortSignal: signalWithin(previewWithin, options) },
      );
      const text = JSON.parse(answer.Payload?.transformToString() ?? "null") as unknown;
      if (answer.FunctionError === undefined && typeof text === "string") return readPreviewAnswer(text);
      const { errorMessage = "it gave no answer" } = (text ?? {}) as { readonly errorMessage?: string };
      throw new DriftlessError("queue", `the plan of ${request.application} was not made: ${errorMessage}`, { retryable: true });
    } catch (cause) {
      if (cause instanceof DriftlessError) throw cause;
      const fault = cause instanceof Error ? cause.name : "unknown";
      throw new DriftlessError("queue", `the plan of ${request.application} was not made: ${messageOf(cause)}`, {
        cause,
        retryable: !permanent.has(fault),
        facts: { fault },
      });
    }
  };
}

/** A name that Lambda takes: itself when it can be, else its beginning and a hash of all of it. */
export function executionName(name: string): string {
  const allowed = name.replace(/[^A-Za-z0-9_-]/g, "-");
  if (allowed === name && name.length <= longestName && name !== "") return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return `${allowed.slice(0, longestName - hash.length - 1)}-${hash}`;
}
