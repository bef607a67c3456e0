import type { CallOptions } from "../model/call.ts";
import { fromAttributes, type Item, type Scalar, toAttribute, toAttributes } from "./attributes.ts";
import { createJoinedReads } from "./joined-reads.ts";
import { createJoinedWrites } from "./joined-writes.ts";
import type { Key } from "./key.ts";
import type { Attributes, TableAnswer, TableClient } from "./table-client.ts";

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
  /** Replaces the whole item, without a condition together with what else is written at that moment; `before` is what stood there, when `returnBefore` asks for it. */
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

export function createItems({ client, table: TableName }: { client: TableClient; table: string }): Items {
  /** For calls that have no condition. */
  const call = async (operation: string, request: object, options?: CallOptions): Promise<TableAnswer> =>
    (await client.call(operation, request, options)) ?? {};
  const pages = async function* (query: ItemQuery, count: boolean) {
    let next: Attributes | undefined;
    let wanted = query.limit ?? Number.POSITIVE_INFINITY;
    do {
      const request = {
        TableName,
        ...(query.index === undefined ? { ConsistentRead: true } : { IndexName: query.index }),
        KeyConditionExpression: query.keys.text,
        ...(query.filter && { FilterExpression: query.filter.text }),
        ...named([query.keys.text, query.filter?.text], { ...query.keys.values, ...query.filter?.values }),
        ...(query.newestFirst === true && { ScanIndexForward: false }),
        ...(query.limit !== undefined && { Limit: wanted }),
        ...(count && { Select: "COUNT" }),
        ...(next && { ExclusiveStartKey: next }),
      };
      const page = await call("Query", request, query);
      yield page;
      wanted -= page.Items?.length ?? 0;
      next = page.LastEvaluatedKey;
    } while (next && wanted > 0);
  };
  const replace = createJoinedWrites({
    async one(item, options) {
      await call("PutItem", { TableName, Item: toAttributes(item) }, options);
    },
    async many(items) {
      const puts = items.map((item) => ({ PutRequest: { Item: toAttributes(item) } }));
      const { UnprocessedItems } = await call("BatchWriteItem", { RequestItems: { [TableName]: puts } });
      const left = UnprocessedItems?.[TableName] ?? [];
      return left.flatMap(({ PutRequest }) => (PutRequest ? [fromAttributes(PutRequest.Item) as Item & Key] : []));
    },
  });
  return {
    get: createJoinedReads({
      async one({ pk, sk }, options) {
        const request = { TableName, Key: toAttributes({ pk, sk }), ConsistentRead: true };
        const { Item } = await call("GetItem", request, options);
        return Item && fromAttributes(Item);
      },
      async many(keys) {
        const Keys = keys.map(({ pk, sk }) => toAttributes({ pk, sk }));
        const request = { RequestItems: { [TableName]: { Keys, ConsistentRead: true } } };
        const { Responses, UnprocessedKeys } = await call("BatchGetItem", request);
        const left = UnprocessedKeys?.[TableName]?.Keys ?? [];
        return {
          items: (Responses?.[TableName] ?? []).map(fromAttributes),
          left: left.map((key) => fromAttributes(key) as Item & Key),
        };
      },
    }),
    async put(item, options = {}) {
      if (options.when === undefined && options.returnBefore !== true) {
        await replace(item, options);
        return { written: true };
      }
      const request = {
        TableName,
        Item: toAttributes(item),
        ...(options.returnBefore === true && { ReturnValues: "ALL_OLD" }),
        ...conditional(options.when),
      };
      const done = await client.call("PutItem", request, options);
      return { written: done !== undefined, ...(done?.Attributes && { before: fromAttributes(done.Attributes) }) };
    },
    async update({ pk, sk }, options) {
      const request = {
        TableName,
        Key: toAttributes({ pk, sk }),
        UpdateExpression: options.change,
        ...(options.when !== undefined && { ConditionExpression: options.when }),
        ...named([options.change, options.when], options.values),
        ReturnValues: "ALL_NEW",
      };
      const done = await client.call("UpdateItem", request, options);
      return done ? { written: true, after: fromAttributes(done.Attributes ?? {}) } : { written: false };
    },
    async remove({ pk, sk }, options) {
      const request = { TableName, Key: toAttributes({ pk, sk }), ...conditional(options?.when) };
      return (await client.call("DeleteItem", request, options)) !== undefined;
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
