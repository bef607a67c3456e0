import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { DriftlessError, messageOf } from "../errors.ts";
import { type CallOptions, signalWithin } from "../model/call.ts";
import type { Check } from "../model/check.ts";

/** What is to be looked at from where the clusters can be reached. */
export interface ExamineRequest {
  readonly examine: {
    /** Where deliveries are expected; "" when that is not known. */
    readonly webhook: string;
  };
}

/** Looks at clusters and repositories, and says of each link whether it holds. */
export type Examine = (request: ExamineRequest["examine"], options?: CallOptions) => Promise<readonly Check[]>;

/** A little more than the function has, and less than the half minute of an HTTP API. */
const within = 27_000;

/** Asks the preview function `functionName`, and waits; throws `queue` when it gave no answer. */
export function createLambdaExaminer({ client, functionName }: { client: LambdaClient; functionName: string }): Examine {
  return async (examine, options = {}) => {
    const Payload = Buffer.from(JSON.stringify({ examine } satisfies ExamineRequest));
    try {
      const command = new InvokeCommand({ FunctionName: functionName, InvocationType: "RequestResponse", Payload });
      const answer = await client.send(command, { abortSignal: signalWithin(within, options) });
      const checks = JSON.parse(answer.Payload?.transformToString() ?? "null") as unknown;
      if (answer.FunctionError === undefined && Array.isArray(checks)) return checks as readonly Check[];
      const { errorMessage = "it gave no answer" } = (checks ?? {}) as { readonly errorMessage?: string };
      throw new Error(errorMessage);
    } catch (cause) {
      const text = `the preview function did not look at clusters and repositories: ${messageOf(cause)}`;
      throw new DriftlessError("queue", text, { cause, retryable: true });
    }
  };
}
