import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startAudit } from "./audit.ts";
import { startEventSource } from "./event-source.ts";
import { type LocalEvent, startEvents } from "./events.ts";
import { startGateway } from "./gateway.ts";
import type { InvocationResult } from "./invocation.ts";
import { type LocalLambda, type LocalLambdaOptions, startLambda } from "./lambda.ts";
import { startMemoryTable } from "./memory-table.ts";
import { createFifoQueue, startQueue } from "./queue.ts";
import { startSchedule } from "./schedule.ts";
import { startSecrets } from "./secrets.ts";
import { createTable, openTable } from "./table.ts";

export interface InstallationOptions {
  readonly kubeconfig: string;
  /** Path of the render helper's binary. */
  readonly renderHelper: string;
  readonly configRepository: string;
  readonly configPath?: string;
  readonly webhookSecret: string;
  /** How private repositories of a GitHub are read; without it every repository is read anonymously. */
  readonly github?: { readonly apiUrl: string; readonly secret: string };
  /** For files encrypted with SOPS: the text of an age key file, and where KMS is. */
  readonly sops?: { readonly ageKeys?: string; readonly kmsEndpoint?: string };
  /** Credentials of chart repositories by host, as JSON; without them charts are fetched anonymously. */
  readonly chartCredentials?: string;
  /** Port to which the API server of the kubeconfig's context posts its audit log; without it only sweeps find drift. */
  readonly audit?: { readonly port: number; readonly context: string };
  readonly log: Log;
  /** Seconds between sweeps; no schedule when absent, sweeps are then started by `sweep()`. */
  readonly sweepSeconds?: number;
  /** Gets each log line of the functions. */
  readonly onLine?: (line: string) => void;
  /** Gets each event of the event bus. */
  readonly onEvent?: (event: LocalEvent) => void;
  readonly onCheckpoint?: LocalLambdaOptions["onCheckpoint"];
  readonly logLevel?: string;
  readonly port?: number;
}

/** Driftless on this machine: the same functions, with local stand-ins for the services of AWS around them. */
export interface Installation {
  /** Where the webhook (`/webhook`) and the API (`/api`) listen. */
  readonly url: string;
  readonly stores: Stores;
  readonly lambda: LocalLambda;
  readonly queueUrl: string;
  readonly sqs: SQSClient;
  readonly dynamodb: TableClient;
  readonly table: string;
  /** What was published on the event bus, oldest first. */
  readonly events: readonly LocalEvent[];
  /** Runs one sweep now and waits for it. */
  sweep(): Promise<InvocationResult>;
  close(): Promise<void>;
}

const functionsFolder = join(import.meta.dirname, "..", "..", "functions");
const module = (name: string): string => join(functionsFolder, `${name}.ts`);
const githubSecretId = "driftless/github";
const sopsAgeSecretId = "driftless/sops-age";
const chartsSecretId = "driftless/charts";
/** User of the kubeconfig that a control plane of this machine has for an installation. */
const localIdentity = "driftless";
const region = "us-east-1";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/** Starts everything that stands for AWS, and the functions in it. Endpoints are the only difference to the cloud. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { log } = options;
  const closing: (() => Promise<void>)[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    closing.unshift(() => part.close());
    return part;
  };
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  try {
    const snapshotKey = randomBytes(32).toString("base64");
    const [table, queue, events, secrets] = await Promise.all([
      startMemoryTable(),
      startQueue(),
      startEvents(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      startSecrets({
        secrets: {
          "driftless/webhook": options.webhookSecret,
          "driftless/snapshot-key": snapshotKey,
          ...(options.github === undefined ? {} : { [githubSecretId]: options.github.secret }),
          ...(options.sops?.ageKeys === undefined ? {} : { [sopsAgeSecretId]: options.sops.ageKeys }),
          ...(options.chartCredentials === undefined ? {} : { [chartsSecretId]: options.chartCredentials }),
        },
      }),
    ]);
    for (const part of [table, queue, events, secrets]) keep(part);
    const dynamodb = openTable(table.endpoint);
    const sqs = new SQSClient({ region, credentials, endpoint: queue.endpoint });
    closing.unshift(async () => {
      dynamodb.close();
      sqs.destroy();
    });
    await createTable({ client: dynamodb, table: "driftless" });
    const { queueUrl } = await createFifoQueue({
      client: sqs,
      endpoint: queue.endpoint,
      name: "revisions",
      visibilityTimeout: 60,
      maxReceiveCount: 10,
    });
    const lambda = keep(
      await startLambda({
        functions: {
          webhook: { module: module("webhook"), timeoutSeconds: 10 },
          plan: { module: module("plan"), timeoutSeconds: 300 },
          sync: { module: module("sync"), timeoutSeconds: 900, durable: true },
          sweep: { module: module("sweep"), timeoutSeconds: 900 },
          audit: { module: module("audit"), timeoutSeconds: 60 },
          preview: { module: module("preview"), timeoutSeconds: 26 },
          api: { module: module("api"), timeoutSeconds: 30 },
        },
        environment: environmentOf(options, {
          queueUrl,
          endpoints: { dynamodb: table.endpoint, sqs: queue.endpoint, events: events.endpoint, secrets: secrets.endpoint },
        }),
        log,
        ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
        ...(options.onCheckpoint === undefined ? {} : { onCheckpoint: options.onCheckpoint }),
      }),
    );
    keep(startEventSource({ client: sqs, queueUrl, functionName: "plan", invoke: lambda.invoke, log, retrySeconds: 2 }));
    const gateway = keep(
      await startGateway({
        routes: { "POST /webhook": "webhook", "GET /api/{proxy+}": "api", "POST /api/{proxy+}": "api" },
        invoke: lambda.invoke,
        log,
        ...(options.port === undefined ? {} : { port: options.port }),
      }),
    );
    if (options.audit !== undefined) {
      const { port, context: clusterName } = options.audit;
      keep(await startAudit({ port, clusterName, functionName: "audit", invoke: lambda.invoke, log }));
    }
    if (options.sweepSeconds !== undefined) {
      keep(startSchedule({ functionName: "sweep", everySeconds: options.sweepSeconds, invoke: lambda.invoke, log }));
    }
    const stores = createDynamoStores({ client: dynamodb, table: "driftless", clock, snapshotKey: new Secret(snapshotKey) });
    return {
      url: gateway.url,
      stores,
      lambda,
      queueUrl,
      sqs,
      dynamodb,
      table: "driftless",
      events: events.events,
      sweep: () => lambda.invoke("sweep", {}),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function environmentOf(
  {
    kubeconfig,
    renderHelper,
    configRepository,
    configPath = "driftless.yaml",
    github,
    sops,
    chartCredentials,
    sweepSeconds,
    logLevel = "info",
  }: InstallationOptions,
  {
    queueUrl,
    endpoints,
  }: { readonly queueUrl: string; readonly endpoints: Readonly<Record<"dynamodb" | "sqs" | "events" | "secrets", string>> },
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.events,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secrets,
    DRIFTLESS_TABLE: "driftless",
    DRIFTLESS_QUEUE_URL: queueUrl,
    DRIFTLESS_WEBHOOK_SECRET_ID: "driftless/webhook",
    DRIFTLESS_SNAPSHOT_KEY_ID: "driftless/snapshot-key",
    DRIFTLESS_CONFIG_REPOSITORY: configRepository,
    DRIFTLESS_CONFIG_PATH: configPath,
    ...(github === undefined ? {} : { DRIFTLESS_GITHUB_SECRET_ID: githubSecretId, DRIFTLESS_GITHUB_API_URL: github.apiUrl }),
    ...(sops?.ageKeys === undefined ? {} : { DRIFTLESS_SOPS_AGE_SECRET_ID: sopsAgeSecretId }),
    ...(chartCredentials === undefined ? {} : { DRIFTLESS_CHARTS_SECRET_ID: chartsSecretId }),
    ...(sops?.kmsEndpoint === undefined ? {} : { AWS_ENDPOINT_URL_KMS: sops.kmsEndpoint }),
    DRIFTLESS_RENDER_HELPER: renderHelper,
    DRIFTLESS_SYNC_FUNCTION: "sync:live",
    DRIFTLESS_SWEEP_FUNCTION: "sweep",
    DRIFTLESS_PREVIEW_FUNCTION: "preview",
    DRIFTLESS_LOG_LEVEL: logLevel,
    ...(sweepSeconds === undefined ? {} : { DRIFTLESS_SWEEP_INTERVAL: `${sweepSeconds}s` }),
    DRIFTLESS_IDENTITIES: localIdentity,
    KUBECONFIG: kubeconfig,
  };
}
