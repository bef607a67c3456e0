import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

/** Services that stand in this process for those of the cloud. */
export type Service = "table" | "queue" | "lambda" | "git";

export type ServiceRequests = Readonly<Record<Service, number>>;

const channel = "http.server.request.start";

/** Starts to count the requests to the local services; the answer tells how many came since, and ends the counting. */
export function startServiceMeter(): () => ServiceRequests {
  const counts = { table: 0, queue: 0, lambda: 0, git: 0 };
  const count = (message: unknown): void => {
    const service = serviceOf((message as { readonly request: IncomingMessage }).request);
    if (service !== undefined) counts[service] += 1;
  };
  subscribe(channel, count);
  return () => {
    unsubscribe(channel, count);
    return counts;
  };
}

/** Which service a request is for; polls of the queue are left out, since they come whether or not anything happens. */
export function serviceOf({ url = "", headers }: Pick<IncomingMessage, "url" | "headers">): Service | undefined {
  const target = String(headers["x-amz-target"] ?? "");
  if (target.startsWith("DynamoDB_")) return "table";
  if (target.startsWith("AmazonSQS.")) return target.endsWith(".ReceiveMessage") ? undefined : "queue";
  if (/\/git-(?:upload|receive)-pack$|\/info\/refs\?/.test(url)) return "git";
  return /^\/\d{4}-\d\d-\d\d\/(?:functions|durable-executions)\//.test(url) ? "lambda" : undefined;
}
