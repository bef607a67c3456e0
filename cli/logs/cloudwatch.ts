import { setTimeout as delay } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  GetQueryResultsCommand,
  type ResultField,
  StartLiveTailCommand,
  StartQueryCommand,
  StopQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import {
  type FoundLines,
  type LogLine,
  type LogQuestion,
  type LogSource,
  type LogSpan,
  mostLines,
  parseLogLine,
} from "./log-source.ts";
import { loggingFunctions, queryText } from "./queries.ts";

export interface CloudWatchLogSourceOptions {
  readonly client: CloudWatchLogsClient;
  /** Service and stage, which every function's name begins with: `driftless-prod`. */
  readonly stack: string;
  /** For messages. */
  readonly region: string;
  /** Milliseconds until a query is given up, and stopped. Default one minute. */
  readonly timeoutMs?: number;
  /** Milliseconds between looks at a query, or at the log when it may not be tailed. Default 1000. */
  readonly pauseMs?: number;
  readonly clock?: Clock;
  /** Told once when live tail is not allowed. */
  readonly say?: (line: string) => void;
}

/** The functions' log groups in CloudWatch Logs: Insights queries, and live tail. */
export function createCloudWatchLogSource(options: CloudWatchLogSourceOptions): LogSource {
  const { stack, region } = options;
  return {
    place: `CloudWatch Logs of ${stack} in ${region}`,
    find: (question, span) => runQuery({ question, span, ...options }),
    follow: ({ signal }) => followGroups(options, signal),
  };
}

/** Of the command line: credentials and endpoint come from where the SDK finds them. */
export function openCloudWatch(environment: NodeJS.ProcessEnv, { region }: { readonly region: string }): CloudWatchLogsClient {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS = AWS_ENDPOINT_URL } = environment;
  // Live tail has a host of its own, which an endpoint that somebody names has not.
  return new CloudWatchLogsClient({ region, maxAttempts: 4, disableHostPrefix: AWS_ENDPOINT_URL_CLOUDWATCH_LOGS !== undefined });
}

/** Filter pattern: what the runtime prints has no such field. */
const ourLines = "{ $.event = * }";

const groupsOf = (stack: string): string[] => loggingFunctions.map((name) => `/aws/lambda/${stack}-${name}`);

async function runQuery({
  question,
  span,
  client,
  timeoutMs = 60_000,
  pauseMs = 1000,
  ...place
}: CloudWatchLogSourceOptions & { readonly question: LogQuestion; readonly span: LogSpan }): Promise<FoundLines> {
  const [startTime, endTime] = [Math.floor(span.since.getTime() / 1000), Math.ceil(span.until.getTime() / 1000)];
  const deadline = AbortSignal.timeout(timeoutMs);
  const abortSignal = span.signal === undefined ? deadline : AbortSignal.any([span.signal, deadline]);
  let queryId = "";
  try {
    const logGroupNames = groupsOf(place.stack);
    const request = new StartQueryCommand({ logGroupNames, startTime, endTime, queryString: queryText(question) });
    queryId = (await client.send(request, { abortSignal })).queryId ?? "";
    for (;;) {
      const { status = "Unknown", results = [] } = await client.send(new GetQueryResultsCommand({ queryId }), { abortSignal });
      if (status === "Complete") return { lines: results.flatMap(lineOf).toReversed(), cut: results.length >= mostLines };
      if (status !== "Running" && status !== "Scheduled") throw new Error(`it ended as ${status}`);
      await delay(pauseMs, undefined, { signal: abortSignal });
    }
  } catch (cause) {
    const isOver = abortSignal.aborted;
    if (isOver && queryId !== "") await stop(client, queryId);
    const why = deadline.aborted ? `it was stopped, since it took more than ${Math.round(timeoutMs / 1000)} s` : advised(cause);
    const which = queryId === "" ? "a query" : `query ${queryId}`;
    throw new DriftlessError("config", `${which} of CloudWatch Logs in ${place.region}, stack ${place.stack}: ${why}`, { cause });
  }
}

/** A query that nobody waits for costs all the same. */
async function stop(client: CloudWatchLogsClient, queryId: string): Promise<void> {
  const abortSignal = AbortSignal.timeout(5000);
  await client.send(new StopQueryCommand({ queryId }), { abortSignal }).catch(() => undefined);
}

function lineOf(row: readonly ResultField[]): readonly LogLine[] {
  const line = parseLogLine(row.find(({ field }) => field === "@message")?.value ?? "");
  return line === undefined ? [] : [line];
}

/** What the service says, and what to do where that is known. */
function advised(cause: unknown): string {
  const name = cause instanceof Error ? cause.name : "";
  const said = `${name === "" || name === "Error" ? "" : `${name}: `}${messageOf(cause)}`;
  if (name === "ResourceNotFoundException") return `${said}: is it another --stack or --region?`;
  if (name === "AccessDeniedException")
    return `${said}: it takes logs:StartQuery, logs:GetQueryResults, logs:StopQuery, and logs:StartLiveTail with logs:DescribeLogGroups, or logs:FilterLogEvents, to follow`;
  if (name.startsWith("CredentialsProviderError") || name === "ExpiredTokenException")
    return `${said}: sign in to AWS, or name a profile with AWS_PROFILE`;
  return said;
}

async function* followGroups(options: CloudWatchLogSourceOptions, signal: AbortSignal): AsyncGenerator<LogLine> {
  const { stack, region, say = () => undefined } = options;
  try {
    try {
      yield* liveTail(options, signal);
    } catch (cause) {
      if (signal.aborted || !isNotToBeHad(cause)) throw cause;
      say(`live tail is not to be had (${cause.name}): the log is looked at every few seconds`);
      yield* pollGroups(options, signal);
    }
  } catch (cause) {
    if (signal.aborted) return;
    const text = `following CloudWatch Logs in ${region}, stack ${stack}: ${advised(cause)}`;
    throw new DriftlessError("config", text, { cause });
  }
}

function isNotToBeHad(cause: unknown): cause is Error {
  return cause instanceof Error && /^(AccessDenied|InvalidOperation|LimitExceeded)/.test(cause.name);
}

/** Live tail wants ARNs. */
async function groupArns({ client, stack }: CloudWatchLogSourceOptions, abortSignal: AbortSignal): Promise<string[]> {
  const logGroupNamePrefix = `/aws/lambda/${stack}-`;
  const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix }), { abortSignal });
  const known = new Set(groupsOf(stack));
  const arns = logGroups.flatMap(({ logGroupName = "", logGroupArn }) =>
    known.has(logGroupName) && logGroupArn !== undefined ? [logGroupArn] : [],
  );
  if (arns.length > 0) return arns;
  const text = `no log group begins with ${logGroupNamePrefix}`;
  throw Object.assign(new Error(text), { name: "ResourceNotFoundException" });
}

/** One session lasts three hours at most; the next one takes up where it ended. */
async function* liveTail(options: CloudWatchLogSourceOptions, signal: AbortSignal): AsyncGenerator<LogLine> {
  const { client } = options;
  const logGroupIdentifiers = await groupArns(options, signal);
  // The signal of a request ends with its answer's head; the stream ends with the connection.
  signal.addEventListener("abort", () => client.destroy(), { once: true });
  while (!signal.aborted) {
    const request = new StartLiveTailCommand({ logGroupIdentifiers, logEventFilterPattern: ourLines });
    const { responseStream } = await client.send(request, { abortSignal: signal });
    for await (const part of responseStream ?? []) {
      if (part.SessionTimeoutException !== undefined) break;
      if (part.SessionStreamingException !== undefined) throw part.SessionStreamingException;
      yield* (part.sessionUpdate?.sessionResults ?? []).flatMap(({ message = "" }) => parseLogLine(message) ?? []);
    }
  }
}

/** Lines come late into a log group, and not in order: what is there twice is told once. */
async function* pollGroups(
  { client, stack, pauseMs = 1000, clock = systemClock }: CloudWatchLogSourceOptions,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const lateMs = 10_000;
  const begun = clock.now().getTime();
  const told = new Map<string, number>();
  const unseen = ({ eventId = "", timestamp = 0 }: FilteredLogEvent): boolean => {
    if (told.has(eventId)) return false;
    told.set(eventId, timestamp);
    return true;
  };
  while (!signal.aborted) {
    const startTime = Math.max(begun, clock.now().getTime() - lateMs);
    const found = await Promise.all(groupsOf(stack).map((group) => eventsOf(client, { group, startTime, signal })));
    const fresh = found
      .flat()
      .filter(unseen)
      .sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
    yield* fresh.flatMap(({ message = "" }) => parseLogLine(message) ?? []);
    for (const [id, at] of told) if (at < startTime - lateMs) told.delete(id);
    await delay(pauseMs * 2, undefined, { signal }).catch(() => undefined);
  }
}

async function eventsOf(
  client: CloudWatchLogsClient,
  { group, startTime, signal }: { readonly group: string; readonly startTime: number; readonly signal: AbortSignal },
): Promise<readonly FilteredLogEvent[]> {
  const all: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  do {
    const request = { logGroupName: group, startTime, filterPattern: ourLines, ...(nextToken && { nextToken }) };
    const page = await client.send(new FilterLogEventsCommand(request), { abortSignal: signal });
    all.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined && all.length < mostLines);
  return all;
}
