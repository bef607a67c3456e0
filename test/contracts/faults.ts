import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

/** `lost`: the table does it, the answer does not arrive. `throttled`: the table does nothing, and says to come again. */
export type Fault = "lost" | "throttled" | "refused";

/** Lets `decide` spoil requests of this client; returns how many it saw by name, and a function that ends it. */
export function spoil(
  client: DynamoDBClient,
  decide: (request: { readonly command: string; readonly number: number }) => Fault | undefined,
): { readonly seen: string[]; stop(): void } {
  const seen: string[] = [];
  const name = "spoil";
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context["commandName"]);
      seen.push(command);
      const fault = decide({ command, number: seen.length });
      if (fault === undefined) return next(args);
      if (fault === "lost") await next(args);
      throw Object.assign(new Error(`${command} was spoilt`), {
        name: { lost: "TimeoutError", throttled: "ThrottlingException", refused: "AccessDeniedException" }[fault],
        $metadata: {},
        ...(fault === "throttled" && { $retryable: { throttling: true } }),
      });
    },
    // Inside the client's own retries.
    { step: "deserialize", name, priority: "high" },
  );
  return { seen, stop: () => void client.middlewareStack.remove(name) };
}
