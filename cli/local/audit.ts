import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { readEventList } from "../../lib/audit/log-payload.ts";
import { messageOf } from "../../lib/errors.ts";
import { type JsonObject, stringifyJson } from "../../lib/model/json.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import type { InvokeFunction } from "./invocation.ts";
import { readBody, startLoopback } from "./loopback.ts";

/** Stands for the log group of a cluster's control plane, and its subscription. */
export interface LocalAudit {
  /** Takes no more; what waits is dropped. */
  close(): Promise<void>;
}

export interface AuditOptions {
  /** To which the API server posts; it tries again where nobody listens yet. */
  readonly port: number;
  /** As the log group names the cluster. */
  readonly clusterName: string;
  readonly functionName: string;
  readonly invoke: InvokeFunction;
  readonly log: Log;
  readonly clock?: Clock;
}

const zip = promisify(gzip);
const largestBody = 64 * 1024 * 1024;
/** As many run at once as the deployed function may. */
const mostRunning = 5;
/** Batches of up to 400 events that wait; what comes on top is the next sweep's. */
const mostWaiting = 200;

/** Takes what the API server's audit webhook posts, and calls the function with it as CloudWatch Logs would. */
export async function startAudit(options: AuditOptions): Promise<LocalAudit> {
  const { port, invoke, functionName, log } = options;
  const waiting: (readonly JsonObject[])[] = [];
  let running = 0;
  let closed = false;

  const call = async (events: readonly JsonObject[]): Promise<void> => {
    try {
      const result = await invoke(functionName, await logEventOf(events, options));
      if ("error" in result && !closed) log.warn("audit.failed", { functionName, error: result.error.errorMessage });
    } catch (error) {
      if (!closed) log.warn("audit.failed", { functionName, error: messageOf(error) });
    }
  };
  const next = (): void => {
    const events = running < mostRunning && !closed ? waiting.shift() : undefined;
    if (events === undefined) return;
    running++;
    void call(events).finally(() => {
      running--;
      next();
    });
  };

  const server = await startLoopback(
    async (request, response) => {
      const body = await readBody(request, largestBody);
      // The API server waits for the answer, and the function is not to hold it up.
      response.writeHead(body === undefined ? 413 : 200);
      response.end();
      const events = body === undefined ? [] : readEventList(body.toString("utf8"));
      if (events.length === 0 || closed) return;
      if (waiting.length >= mostWaiting) log.warn("audit.dropped", { events: events.length });
      else waiting.push(events);
      next();
    },
    { port },
  );
  return {
    async close() {
      closed = true;
      waiting.length = 0;
      await server.close();
    },
  };
}

async function logEventOf(events: readonly JsonObject[], { clusterName, clock = systemClock }: AuditOptions): Promise<unknown> {
  const timestamp = clock.now().getTime();
  const payload = {
    messageType: "DATA_MESSAGE",
    owner: "000000000000",
    logGroup: `/aws/eks/${clusterName}/cluster`,
    logStream: "kube-apiserver-audit-local",
    subscriptionFilters: ["driftless"],
    logEvents: events.map((event, index) => ({ id: `${timestamp}${index}`, timestamp, message: stringifyJson(event) })),
  };
  return { awslogs: { data: (await zip(JSON.stringify(payload))).toString("base64") } };
}
