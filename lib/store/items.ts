import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { fromAttributes, type Item, type Scalar, toAttribute, toAttributes } from "./attributes.ts";
import { createJoinedReads } from "./joined-reads.ts";

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** An expression of DynamoDB: every attribute is written `#name`, every value `:name`. */
export interface Expression {
  readonly text: string;
  readonly values?: Readonly<Record<string, Scalar>>;
}

export interface ItemQuery extends CallOptions {
  readonly index?: string;
  readonly keys: Expression;
  readonly filter?: Expression;
  readonly newestFirst?: boolean;
  /** At most so many items; all when not given. */
  readonly limit?: number;
}

interface PutOptions extends CallOptions {
  readonly when?: Expression;
  readonly returnBefore?: boolean;
}

/** The items of one table. Every failure is a `store` error; a condition that does not hold is an answer, never an error. */
export interface Items {
  /** Strongly consistent. */
  get(key: Key, options?: CallOptions): Promise<Item | undefined>;
  /** Replaces the whole item; `before` is what stood there, when `returnBefore` asks for it. */
  put(item: Item & Key, options?: PutOptions): Promise<{ written: boolean; before?: Item }>;
  /** Changes single attributes; `after` is the item as it stands then. */
  update(
    key: Key,
    options: CallOptions & { change: string; when?: string; values?: Readonly<Record<string, Scalar>> },
  ): Promise<{ readonly written: false } | { readonly written: true; readonly after: Item }>;
  /** True when the item is gone: also when there was none, unless `when` asks for one. */
  remove(key: Key, options?: CallOptions & { readonly when?: Expression }): Promise<boolean>;
  /** Strongly consistent, except by an index. */
  query(query: ItemQuery): Promise<Item[]>;
  /** How many items a key condition meets. */
  count(query: ItemQuery): Promise<number>;
}

/** What the same call cannot mend: anything else (throttling, network, 5xx, expired credentials) may pass. */
const permanent = new Set([
  "AccessDeniedException",
  "ItemCollectionSizeLimitExceededException",
  "ResourceNotFoundException",
  "SerializationException",
  "UnknownOperationException",
  "UnrecognizedClientException",
  "ValidationException",
]);

/** The client's own retries come first: bound them, and the time of one request, where the client is made. */
export function createItems({ client, table: TableName }: { client: DynamoDBClient; table: string }): Items {
  const call = async <T>(operation: string, send: () => Promise<T>): Promise<T> => {
    try {
      return await send();
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException || cause instanceof DriftlessError) throw cause;
      const fault = cause instanceof Error ? cause.name : "unknown";
      throw new DriftlessError("store", `table ${TableName}: ${operation} failed: ${messageOf(cause)}`, {
        cause,
        retryable: !permanent.has(fault),
        facts: { table: TableName, operation, fault },
      });
    }
  };
  const pages = async function* (query: ItemQuery, count: boolean) {
    let next: Record<string, AttributeValue> | undefined;
    let wanted = query.limit ?? Number.POSITIVE_INFINITY;
    do {
      const command = new QueryCommand({
        TableName,
        ...(query.index === undefined ? { ConsistentRead: true } : { IndexName: query.index }),
        KeyConditionExpression: query.keys.text,
        ...(query.filter && { FilterExpression: query.filter.text }),
        ...named([query.keys.text, query.filter?.text], { ...query.keys.values, ...query.filter?.values }),
        ...(query.newestFirst === true && { ScanIndexForward: false }),
        ...(query.limit !== undefined && { Limit: wanted }),
        ...(count && { Select: "COUNT" }),
        ...(next && { ExclusiveStartKey: next }),
      });
      const page = await call("Query", () => client.send(command, abortOf(query)));
      yield page;
      wanted -= page.Items?.length ?? 0;
      next = page.LastEvaluatedKey;
    } while (next && wanted > 0);
  };
  return {
    get: createJoinedReads({
      async one({ pk, sk }, options) {
        const command = new GetItemCommand({ TableName, Key: toAttributes({ pk, sk }), ConsistentRead: true });
        const { Item } = await call("GetItem", () => client.send(command, abortOf(options)));
        return Item && fromAttributes(Item);
      },
      async many(keys) {
        const Keys = keys.map(({ pk, sk }) => toAttributes({ pk, sk }));
        const command = new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } });
        const { Responses, UnprocessedKeys } = await call("BatchGetItem", () => client.send(command));
        const left = UnprocessedKeys?.[TableName]?.Keys ?? [];
        return {
          items: (Responses?.[TableName] ?? []).map(fromAttributes),
          left: left.map((key) => fromAttributes(key) as Item & Key),
        };
      },
    }),
    async put(item, options) {
      const command = new PutItemCommand({
        TableName,
        Item: toAttributes(item),
        ...(options?.returnBefore === true && { ReturnValues: "ALL_OLD" as const }),
        ...conditional(options?.when),
      });
      const done = await whenHolds(() => call("PutItem", () => client.send(command, abortOf(options))));
      return { written: done !== undefined, ...(done?.Attributes && { before: fromAttributes(done.Attributes) }) };
    },
    async update({ pk, sk }, options) {
      const command = new UpdateItemCommand({
        TableName,
        Key: toAttributes({ pk, sk }),
        UpdateExpression: options.change,
        ...(options.when !== undefined && { ConditionExpression: options.when }),
        ...named([options.change, options.when], options.values),
        ReturnValues: "ALL_NEW",
      });
      const done = await whenHolds(() => call("UpdateItem", () => client.send(command, abortOf(options))));
      return done ? { written: true, after: fromAttributes(done.Attributes ?? {}) } : { written: false };
    },
    async remove({ pk, sk }, options) {
      const command = new DeleteItemCommand({ TableName, Key: toAttributes({ pk, sk }), ...conditional(options?.when) });
      return (await whenHolds(() => call("DeleteItem", () => client.send(command, abortOf(options))))) !== undefined;
    },
    async query(query) {
      const items: Item[] = [];
      for await (const page of pages(query, false)) items.push(...(page.Items ?? []).map(fromAttributes));
      return items;
    },
    async count(query) {
      let total = 0;
      for await (const page of pages(query, true)) total += page.Count ?? 0;
      return total;
    },
  };
}

/** Undefined when the condition of a write did not hold. */
async function whenHolds<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

function conditional(when: Expression | undefined) {
  return when && { ConditionExpression: when.text, ...named([when.text], when.values) };
}

/** The `#name` of the texts and the `:name` of the values, as DynamoDB wants them beside an expression. */
function named(texts: readonly (string | undefined)[], values: Readonly<Record<string, Scalar>> = {}) {
  const names = texts.flatMap((text) => text?.match(/#\w+/g) ?? []);
  return {
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, name.slice(1)])),
    ...(Object.keys(values).length > 0 && {
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`:${name}`, toAttribute(name, value)]),
      ),
    }),
  };
}

function abortOf(options: CallOptions | undefined) {
  return options?.signal ? { abortSignal: options.signal } : {};
}
