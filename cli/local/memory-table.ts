import { json } from "node:stream/consumers";
import { tableDefinition } from "../../lib/store/table.ts";
import type { AttributeValue, TableAnswer, TableClient } from "../../lib/store/table-client.ts";
import { sendJson, startLoopback } from "./loopback.ts";
import type { LocalService } from "./table.ts";
import { type Bound, compareTexts, conditionOf, type TableItem, updateOf } from "./table-expressions.ts";

/** What commands of DynamoDB say, as far as the stores use it. */
interface Input {
  readonly TableName: string;
  readonly Key?: TableItem;
  readonly Item?: TableItem;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ReturnValues?: string;
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly Select?: string;
  readonly ExclusiveStartKey?: TableItem;
  /** Of BatchGetItem, or of BatchWriteItem. */
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly TableItem[] } & readonly Write[]>>;
  readonly ExpressionAttributeNames?: Bound["names"];
  readonly ExpressionAttributeValues?: TableItem;
}

interface Write {
  readonly PutRequest: { readonly Item: TableItem };
}

/** Items by hash key and sort key. */
type Rows = Map<string, Map<string, TableItem>>;

/** A table in this process, for proofs that make a million calls. */
export function createMemoryTable(): TableClient {
  const tables = new Map<string, Rows>();
  return {
    async call(operation, request) {
      try {
        return perform(tables, operation, request as Input);
      } catch (error) {
        if (error instanceof Error && error.name === conditionFailed) return undefined;
        throw error;
      }
    },
    close: () => undefined,
  };
}

const conditionFailed = "ConditionalCheckFailedException";

/**
 * Stands for DynamoDB over HTTP: what the stores use of it, at a tenth of the cost of a stand-in that can do more. It passes the
 * same contract suites.
 */
export async function startMemoryTable(): Promise<LocalService> {
  const tables = new Map<string, Rows>();
  const server = await startLoopback(async (request, response) => {
    const name = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const { status, body } = answerTo(tables, name, (await json(request)) as Input);
    sendJson(response, status, body, { "content-type": "application/x-amz-json-1.0" });
  });
  return { endpoint: server.url, close: () => server.close() };
}

function answerTo(tables: Map<string, Rows>, name: string, input: Input): { readonly status: number; readonly body: object } {
  try {
    return { status: 200, body: perform(tables, name, input) };
  } catch (error) {
    const { name: type, message } = error as Error;
    return { status: 400, body: { __type: `com.amazonaws.dynamodb#${type}`, message } };
  }
}

function perform(tables: Map<string, Rows>, name: string, input: Input): TableAnswer {
  const { TableName } = input;
  if (name === "CreateTable") tables.set(TableName, new Map());
  if (name === "CreateTable" || name === "DescribeTable") return { Table: { TableStatus: "ACTIVE" } } as TableAnswer;
  if (name === "DeleteTable") tables.delete(TableName);
  if (name === "DeleteTable") return {};
  if (name === "BatchGetItem") return readMany(tables, input.RequestItems ?? {});
  if (name === "BatchWriteItem") return writeMany(tables, input.RequestItems ?? {});
  const rows = tables.get(TableName);
  if (rows === undefined) throw Object.assign(new Error(`no table ${TableName}`), { name: "ResourceNotFoundException" });
  const stored = itemAt(rows, input.Key ?? input.Item ?? {});
  switch (name) {
    case "GetItem":
      return stored === undefined ? {} : { Item: stored };
    case "PutItem":
      refuseUnless(input, stored);
      put(rows, input.Item ?? {});
      return input.ReturnValues === "ALL_OLD" && stored !== undefined ? { Attributes: stored } : {};
    case "UpdateItem": {
      refuseUnless(input, stored);
      const changed = updateOf(input.UpdateExpression ?? "")({ ...input.Key, ...stored }, boundBy(input));
      put(rows, changed);
      return { Attributes: changed };
    }
    case "DeleteItem":
      refuseUnless(input, stored);
      rows.get(textOf(input.Key?.["pk"]))?.delete(textOf(input.Key?.["sk"]));
      return {};
    case "Query":
      return query(rows, input);
    case "Scan":
      return { Items: [...rows.values()].flatMap((partition) => [...partition.values()]) };
    default:
      throw new Error(`the stand-in knows no ${name}`);
  }
}

function readMany(tables: Map<string, Rows>, asked: NonNullable<Input["RequestItems"]>): object {
  const found = Object.entries(asked).map(([table, { Keys }]) => [
    table,
    Keys.flatMap((key) => {
      const item = itemAt(tables.get(table) ?? new Map(), key);
      return item === undefined ? [] : [item];
    }),
  ]);
  return { Responses: Object.fromEntries(found), UnprocessedKeys: {} };
}

function writeMany(tables: Map<string, Rows>, asked: NonNullable<Input["RequestItems"]>): object {
  for (const [table, writes] of Object.entries(asked)) {
    const rows = tables.get(table);
    if (rows === undefined) throw Object.assign(new Error(`no table ${table}`), { name: "ResourceNotFoundException" });
    for (const { PutRequest } of writes) put(rows, PutRequest.Item);
  }
  return { UnprocessedItems: {} };
}

function boundBy({ ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: Input): Bound {
  return { names, values };
}

function refuseUnless(input: Input, stored: TableItem | undefined): void {
  const { ConditionExpression: text } = input;
  if (text === undefined || conditionOf(text)(stored ?? {}, boundBy(input))) return;
  throw Object.assign(new Error("The conditional request failed"), { name: conditionFailed });
}

function itemAt(rows: Rows, key: TableItem): TableItem | undefined {
  return rows.get(textOf(key["pk"]))?.get(textOf(key["sk"]));
}

function put(rows: Rows, item: TableItem): void {
  const pk = textOf(item["pk"]);
  const partition = rows.get(pk) ?? new Map<string, TableItem>();
  rows.set(pk, partition.set(textOf(item["sk"]), item));
}

function query(rows: Rows, input: Input): object {
  const bound = boundBy(input);
  const { hashKey, sortKey, projected } = indexOf(input.IndexName);
  const partitions = hashKey === "pk" ? partitionsOf(rows, input) : [...rows.values()];
  const isWanted = conditionOf(input.KeyConditionExpression ?? "");
  const sorted = partitions
    .flatMap((partition) => [...partition.values()])
    .filter((item) => item[hashKey] !== undefined && item[sortKey] !== undefined && isWanted(item, bound))
    .sort((a, b) => compareTexts(textOf(a[sortKey]), textOf(b[sortKey])));
  const inOrder = input.ScanIndexForward === false ? sorted.toReversed() : sorted;
  const { ExclusiveStartKey: start, Limit: limit = inOrder.length } = input;
  const from = start === undefined ? 0 : inOrder.findIndex((item) => isSameKey(item, start)) + 1;
  const page = inOrder.slice(from, from + limit);
  const last = page.at(-1);
  const next = from + limit < inOrder.length && last !== undefined ? { LastEvaluatedKey: keyOf(last) } : {};
  const filter = input.FilterExpression === undefined ? undefined : conditionOf(input.FilterExpression);
  const found = filter === undefined ? page : page.filter((item) => filter(item, bound));
  return { ...(input.Select === "COUNT" ? {} : { Items: found.map(projected) }), Count: found.length, ...next };
}

interface Index {
  readonly hashKey: string;
  readonly sortKey: string;
  /** What the index has of an item. */
  readonly projected: (item: TableItem) => TableItem;
}

function indexOf(name: string | undefined): Index {
  if (name === undefined) return { hashKey: "pk", sortKey: "sk", projected: (item) => item };
  const index = tableDefinition.GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === name);
  if (index === undefined) throw Object.assign(new Error(`no index ${name}`), { name: "ValidationException" });
  const { KeySchema, Projection } = index;
  const [hashKey, sortKey] = [KeySchema[0].AttributeName, KeySchema[1].AttributeName];
  if (Projection.ProjectionType === "ALL") return { hashKey, sortKey, projected: (item) => item };
  const kept = new Set<string>(["pk", "sk", hashKey, sortKey, ...Projection.NonKeyAttributes]);
  const projected = (item: TableItem) => Object.fromEntries(Object.entries(item).filter(([attribute]) => kept.has(attribute)));
  return { hashKey, sortKey, projected };
}

/** The one partition that a key condition names. */
function partitionsOf(rows: Rows, { KeyConditionExpression = "", ExpressionAttributeValues = {} }: Input) {
  const value = /#pk = (:\w+)/.exec(KeyConditionExpression)?.[1] ?? "";
  const partition = rows.get(textOf(ExpressionAttributeValues[value]));
  return partition === undefined ? [] : [partition];
}

function keyOf({ pk, sk }: TableItem): TableItem {
  return { ...(pk && { pk }), ...(sk && { sk }) };
}

function isSameKey(a: TableItem, b: TableItem): boolean {
  return a["pk"]?.S === b["pk"]?.S && a["sk"]?.S === b["sk"]?.S;
}

function textOf(value: AttributeValue | undefined): string {
  return value?.S ?? "";
}
