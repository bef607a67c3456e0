import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { crc32 } from "node:zlib";
import { readBody, sendJson, startLoopback } from "../../cli/local/loopback.ts";
import { type InsightsRow, runInsights } from "./insights.ts";

/** Stands for CloudWatch Logs, as far as `driftless logs` calls it. */
export interface LogsService {
  readonly endpoint: string;
  /** Names of the operations that were called. */
  readonly calls: string[];
  /** Texts of the queries that were started. */
  readonly queries: string[];
  /** Adds a line to a log group, which is then there. */
  put(group: string, message: string, at?: Date): void;
  close(): Promise<void>;
}

export interface LogsServiceOptions {
  /** Operations that the caller may not do. */
  readonly denied?: readonly string[];
  /** What every query comes to; `Running` is one that never ends. */
  readonly ending?: "Complete" | "Failed" | "Running";
  /** Looks at a query before it has ended. */
  readonly looks?: number;
}

interface Stored {
  readonly id: string;
  readonly group: string;
  readonly at: number;
  readonly message: string;
}

type Body = Readonly<Record<string, unknown>>;

export async function startLogsService({
  denied = [],
  ending = "Complete",
  looks = 1,
}: LogsServiceOptions = {}): Promise<LogsService> {
  const lines: Stored[] = [];
  const groups = new Set<string>();
  const queries = new Map<string, { readonly rows: readonly InsightsRow[]; left: number }>();
  const texts: string[] = [];
  const calls: string[] = [];
  const tails = new Set<{ readonly response: ServerResponse; readonly groups: readonly string[] }>();
  const headers = { "content-type": "application/x-amz-json-1.1" };
  const arnOf = (group: string) => `arn:aws:logs:us-east-1:000000000000:log-group:${group}`;

  const operations: Readonly<Record<string, (body: Body, response: ServerResponse) => Body | undefined>> = {
    StartQuery({ logGroupNames, startTime, endTime, queryString }) {
      for (const name of logGroupNames as readonly string[])
        if (!groups.has(name)) throw refusal("ResourceNotFoundException", `Log group '${name}' does not exist`);
      const names = new Set(logGroupNames as readonly string[]);
      const within = lines.filter(
        ({ group, at }) => names.has(group) && at >= Number(startTime) * 1000 && at <= Number(endTime) * 1000,
      );
      texts.push(String(queryString));
      const queryId = randomUUID();
      queries.set(queryId, { rows: runInsights(String(queryString), within.map(rowOf)), left: looks });
      return { queryId };
    },
    GetQueryResults({ queryId }) {
      const query = queries.get(String(queryId));
      if (query === undefined) throw refusal("ResourceNotFoundException", "no such query");
      query.left -= 1;
      if (query.left > 0 || ending === "Running") return { status: "Running", results: [] };
      if (ending === "Failed") return { status: "Failed", results: [] };
      const results = query.rows.map((row) => Object.entries(row).map(([field, value]) => ({ field, value: String(value) })));
      return { status: "Complete", results };
    },
    StopQuery: () => ({ success: true }),
    DescribeLogGroups: ({ logGroupNamePrefix }) => ({
      logGroups: [...groups]
        .filter((name) => name.startsWith(String(logGroupNamePrefix)))
        .map((name) => ({ logGroupName: name, logGroupArn: arnOf(name), arn: `${arnOf(name)}:*` })),
    }),
    FilterLogEvents: ({ logGroupName, startTime }) => ({
      events: lines
        .filter(({ group, at }) => group === logGroupName && at >= Number(startTime))
        .map(({ id, at, message }) => ({ eventId: id, timestamp: at, message })),
    }),
    StartLiveTail({ logGroupIdentifiers }, response) {
      const arns = new Set(logGroupIdentifiers as readonly string[]);
      response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
      response.write(frame("initial-response", {}));
      response.write(frame("sessionStart", { sessionId: randomUUID() }));
      const tail = { response, groups: [...groups].filter((name) => arns.has(arnOf(name))) };
      tails.add(tail);
      response.on("close", () => tails.delete(tail));
      return undefined;
    },
  };

  const server = await startLoopback(
    async (request, response) => {
      const operation = String(request.headers["x-amz-target"]).replace("Logs_20140328.", "");
      calls.push(operation);
      try {
        if (denied.includes(operation)) throw refusal("AccessDeniedException", `not authorized to perform: logs:${operation}`);
        const serve = operations[operation];
        if (serve === undefined) throw refusal("UnknownOperationException", operation);
        const answer = serve(JSON.parse(String(await readBody(request, 1e6))) as Body, response);
        if (answer !== undefined) sendJson(response, 200, answer, headers);
      } catch (error) {
        const { name, message } = error as Error;
        sendJson(response, 400, { __type: name, message }, headers);
      }
    },
    { port: 0 },
  );
  return {
    endpoint: server.url,
    calls,
    queries: texts,
    put(group, message, at = new Date()) {
      groups.add(group);
      const stored = { id: randomUUID(), group, at: at.getTime(), message };
      lines.push(stored);
      for (const tail of tails) {
        if (!tail.groups.includes(group)) continue;
        tail.response.write(frame("sessionUpdate", { sessionResults: [{ message, timestamp: stored.at }] }));
      }
    },
    async close() {
      for (const { response } of tails) response.destroy();
      await server.close();
    },
  };
}

function refusal(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** The fields of a JSON line are fields of its row. */
function rowOf({ at, message }: Stored): InsightsRow {
  const row = { "@timestamp": new Date(at).toISOString(), "@message": message };
  try {
    return { ...(JSON.parse(message) as object), ...row };
  } catch {
    return row;
  }
}

/** One message of an event stream: https://smithy.io/2.0/aws/amazon-eventstream.html */
function frame(type: string, payload: object): Buffer {
  const body = Buffer.from(JSON.stringify(payload));
  const headers = Buffer.concat(
    Object.entries({ ":message-type": "event", ":event-type": type, ":content-type": "application/json" }).map(
      ([name, value]) => {
        const head = Buffer.alloc(1, name.length);
        const length = Buffer.alloc(3);
        length.writeUInt8(7, 0);
        length.writeUInt16BE(value.length, 1);
        return Buffer.concat([head, Buffer.from(name), length, Buffer.from(value)]);
      },
    ),
  );
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + body.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const begin = Buffer.concat([prelude, checksum(prelude), headers, body]);
  return Buffer.concat([begin, checksum(begin)]);
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes), 0);
  return sum;
}
