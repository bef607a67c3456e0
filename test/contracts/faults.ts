import { createSignedPost, type PostAnswer, type SignedPost } from "../../lib/aws/signed-post.ts";
import { createDynamoClient } from "../../lib/store/dynamodb-client.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";

/** `lost`: the table does it, the answer does not arrive. `throttled`: the table does nothing, and says to come again. */
export type Fault = "lost" | "throttled" | "refused";

type Decide = (request: { readonly operation: string; readonly number: number }) => Fault | undefined;

/** A client whose requests can be spoilt. */
export interface FaultyClient extends TableClient {
  /** Told of each try of a call; its answer stands for the table's. */
  onTry: ((operation: string) => Fault | undefined) | undefined;
}

/** A client as the functions have it, for faults that others must not meet. */
export function openFaultyTable(endpoint: string, { attempts }: { readonly attempts?: number } = {}): FaultyClient {
  const credentials = () => Promise.resolve({ accessKeyId: "local", secretAccessKey: "local" });
  const plain = createSignedPost({ endpoint, region: "eu-central-1", service: "dynamodb", credentials, clock });
  const post: SignedPost = {
    ...plain,
    async send(request, options) {
      const fault = faulty.onTry?.((request.headers["x-amz-target"] ?? "").replace(/^.*\./, ""));
      if (fault === undefined) return plain.send(request, options);
      if (fault === "throttled") return refusal("ThrottlingException");
      if (fault === "refused") return refusal("AccessDeniedException");
      await plain.send(request, options);
      throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    },
  };
  const client = createDynamoClient({ post, random: () => 0, ...(attempts === undefined ? {} : { attempts }) });
  const faulty: FaultyClient = { ...client, onTry: undefined };
  return faulty;
}

/** Lets `decide` spoil requests of this client; returns those it saw by operation, and a function that ends it. */
export function spoil(client: FaultyClient, decide: Decide): { readonly seen: string[]; stop(): void } {
  const seen: string[] = [];
  client.onTry = (operation) => {
    seen.push(operation);
    return decide({ operation, number: seen.length });
  };
  return { seen, stop: () => (client.onTry = undefined) };
}

function refusal(type: string): PostAnswer {
  const body = Buffer.from(JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message: "the request was spoilt" }));
  return { status: 400, headers: {}, body };
}
