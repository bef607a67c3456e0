import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { outdatedSignatures, type PostAnswer, type SignedPost } from "../aws/signed-post.ts";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { TableAnswer, TableClient } from "./table-client.ts";

export interface DynamoClientDeps {
  readonly post: SignedPost;
  /** Tries of one call. Default 5. */
  readonly attempts?: number;
  readonly random?: () => number;
}

/** Pauses are drawn from 0 to this many milliseconds, twice as many each time. */
const firstPause = 50;

/** What the same call cannot mend; anything else (throttling, network, 5xx) may pass. */
const permanent = new Set([
  "AccessDeniedException",
  "ItemCollectionSizeLimitExceededException",
  "RequestEntityTooLarge",
  "ResourceInUseException",
  "ResourceNotFoundException",
  "SerializationException",
  "UnknownOperationException",
  "UnrecognizedClientException",
  "ValidationException",
]);

/** Refusals that say: come again in a moment. All else below 500 is an answer to what was asked. */
const passing = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
  "TransactionInProgressException",
]);

/** What came of one try. */
type Reply =
  | { readonly answer: TableAnswer }
  | {
      readonly fault: string;
      readonly message: string;
      readonly passes: boolean;
      readonly from?: PostAnswer;
      readonly cause?: unknown;
    };

/** DynamoDB over its JSON protocol: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html */
export function createDynamoClient({ post, attempts = 5, random = Math.random }: DynamoClientDeps): TableClient {
  async function once(operation: string, body: string, options: CallOptions): Promise<Reply> {
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `DynamoDB_20120810.${operation}` };
    try {
      return read(await post.send({ headers, body }, options));
    } catch (cause) {
      return { fault: faultOf(cause), message: messageOf(cause), passes: options.signal?.aborted !== true, cause };
    }
  }

  return {
    async call(operation, request, options = {}) {
      const body = JSON.stringify(request);
      let isRenewed = false;
      for (let attempt = 1; ; attempt++) {
        const reply: Reply = await once(operation, body, options);
        if ("answer" in reply) return reply.answer;
        if (reply.fault === "ConditionalCheckFailedException") return undefined;
        const renews: boolean = !isRenewed && reply.from !== undefined && outdatedSignatures.has(reply.fault);
        if (!renews && (!reply.passes || attempt >= attempts)) throw failure(reply, { operation, request });
        try {
          if (renews) await post.renew(reply.from as PostAnswer);
          else await delay(random() * firstPause * 2 ** (attempt - 1), undefined, options);
        } catch (cause) {
          throw failure({ ...reply, cause }, { operation, request });
        }
        isRenewed ||= renews;
      }
    },
    close: () => post.close(),
  };
}

/** The body of an answer that is none of 200; a service in front of it has another, or none. */
interface Refusal {
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

function read(from: PostAnswer): Reply {
  const { status, headers, body } = from;
  const sum = headers["x-amz-crc32"];
  if (sum !== undefined && Number(sum) !== crc32(body)) return garbled("its checksum does not match");
  const parsed = parseObject(body);
  if (status === 200) return parsed === undefined ? garbled("it is not JSON") : { answer: parsed };
  const { __type: type = "", message, Message } = (parsed ?? {}) as Refusal;
  const name = type.slice(type.lastIndexOf("#") + 1);
  const fault = name === "" ? (status === 413 ? "RequestEntityTooLarge" : `Http${status}`) : name;
  return {
    fault,
    message: message ?? Message ?? `it answered ${status}`,
    passes: status >= 500 || passing.has(fault),
    from,
  };

  function garbled(what: string): Reply {
    return { fault: "GarbledAnswer", message: `the answer was garbled: ${what}`, passes: true };
  }
}

function parseObject(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function failure(
  { fault, message, cause }: Exclude<Reply, { readonly answer: unknown }>,
  { operation, request }: { readonly operation: string; readonly request: object },
): DriftlessError {
  const { TableName, RequestItems = {} } = request as { readonly TableName?: string; readonly RequestItems?: object };
  const table = TableName ?? Object.keys(RequestItems)[0] ?? "";
  return new DriftlessError("store", `table ${table}: ${operation} failed: ${message}`, {
    cause: cause ?? new Error(`${fault}: ${message}`),
    retryable: !permanent.has(fault),
    facts: { table, operation, fault },
  });
}

function faultOf(cause: unknown): string {
  const { code, name } = cause as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : "unknown";
}
