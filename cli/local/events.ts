import { randomUUID } from "node:crypto";
import { type LoopbackOptions, readBody, sendJson, startLoopback } from "./loopback.ts";

/** An event as the bus took it. */
export interface LocalEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly bus: string;
}

/** Stands for Amazon EventBridge; clients find it by AWS_ENDPOINT_URL_EVENTBRIDGE. */
export interface LocalEvents {
  readonly endpoint: string;
  /** The newest thousand, oldest first. */
  readonly events: readonly LocalEvent[];
  close(): Promise<void>;
}

export interface LocalEventsOptions extends LoopbackOptions {
  /** Names of the buses that there are; an event for another one is lost, as in AWS. Default: `default`. */
  readonly buses?: readonly string[];
  readonly onEvent?: (event: LocalEvent) => void;
}

type Entry = Readonly<Partial<Record<"Source" | "DetailType" | "Detail" | "EventBusName", unknown>>>;

const mostEntries = 10;
const mostBytes = 256 * 1024;
const mostKept = 1000;

/** Serves PutEvents and refuses what EventBridge refuses: whole requests, and single entries in its answer. */
export async function startEvents({ buses = ["default"], onEvent, port = 0 }: LocalEventsOptions = {}): Promise<LocalEvents> {
  const events: LocalEvent[] = [];
  const server = await startLoopback(
    async (request, response) => {
      const headers = { "content-type": "application/x-amz-json-1.1" };
      const refuse = (type: string, message: string) => sendJson(response, 400, { __type: type, message }, headers);
      const body = await readBody(request, 10 * mostBytes);
      const { authorization = "", "x-amz-target": target } = request.headers;
      if (target !== "AWSEvents.PutEvents") return refuse("UnknownOperationException", "Only PutEvents is served locally.");
      if (!/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/events\/aws4_request, /.test(authorization))
        return refuse("IncompleteSignature", "The request is not signed for the service events.");
      const entries = entriesOf(body);
      if (entries === undefined) return refuse("SerializationException", "The body is not JSON with a list of Entries.");
      const problem = problemOf(entries);
      if (problem !== "") return refuse("ValidationException", problem);
      const answers = entries.map((entry) => {
        const refusal = refusalOf(entry);
        if (refusal !== undefined) return refusal;
        const { Source, DetailType, Detail, EventBusName = "default" } = entry as Readonly<Record<string, string>>;
        const event = {
          source: String(Source),
          detailType: String(DetailType),
          detail: JSON.parse(String(Detail)) as LocalEvent["detail"],
          bus: EventBusName,
        };
        if (buses.includes(event.bus)) {
          events.push(event);
          onEvent?.(event);
        }
        return { EventId: randomUUID() };
      });
      if (events.length > mostKept) events.splice(0, events.length - mostKept);
      const FailedEntryCount = answers.filter((answer) => "ErrorCode" in answer).length;
      sendJson(response, 200, { FailedEntryCount, Entries: answers }, headers);
    },
    { port },
  );
  return { endpoint: server.url, events, close: () => server.close() };
}

function entriesOf(body: Buffer | undefined): readonly Entry[] | undefined {
  try {
    const { Entries } = JSON.parse(body?.toString() ?? "") as { readonly Entries?: unknown };
    return Array.isArray(Entries) ? (Entries as Entry[]) : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with a request as a whole; "" when nothing is. */
function problemOf(entries: readonly Entry[]): string {
  if (entries.length < 1)
    return "Value at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1";
  if (entries.length > mostEntries)
    return `Value at 'entries' failed to satisfy constraint: Member must have length less than or equal to ${mostEntries}`;
  const bytes = entries.reduce((sum, { Source, DetailType, Detail }) => sum + sizeOf(Source, DetailType, Detail), 0);
  return bytes > mostBytes ? "Total size of the entries in the request is over the limit." : "";
}

function sizeOf(...texts: readonly unknown[]): number {
  return texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? Buffer.byteLength(text) : 0), 0);
}

function refusalOf({
  Source,
  DetailType,
  Detail,
}: Entry): { readonly ErrorCode: string; readonly ErrorMessage: string } | undefined {
  for (const [name, value] of Object.entries({ Source, DetailType, Detail })) {
    if (typeof value === "string" && value !== "") continue;
    return {
      ErrorCode: "InvalidArgument",
      ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
    };
  }
  if (String(Source).startsWith("aws."))
    return { ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source." };
  // EventBridge takes a longer one, and loses the event.
  if (String(DetailType).length > 128)
    return { ErrorCode: "InvalidArgument", ErrorMessage: "Parameter DetailType is not valid. Reason: it is longer than 128." };
  return isObject(String(Detail)) ? undefined : { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
