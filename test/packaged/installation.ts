import { randomBytes } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import { startEventSource } from "../../cli/local/event-source.ts";
import { startEvents } from "../../cli/local/events.ts";
import { startGateway } from "../../cli/local/gateway.ts";
import type { Installation, InstallationOptions } from "../../cli/local/installation.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import { startMemoryTable } from "../../cli/local/memory-table.ts";
import { createFifoQueue, startQueue } from "../../cli/local/queue.ts";
import { startSecrets } from "../../cli/local/secrets.ts";
import { createTable, openTable } from "../../cli/local/table.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { type Artefacts, githubSecret } from "../infra/artefacts.ts";
import { resourceOf, resourcesOf, type Template } from "../infra/template.ts";
import { type PackagedFunction, packagedFunctions, region } from "./functions.ts";
import { type Boots, packagedWorker } from "./worker.ts";

export interface PackagedInstallationOptions extends InstallationOptions {
  readonly artefacts: Artefacts;
  /** Program of the runtime interface client. */
  readonly client: string;
  /** Where Amazon EKS is. */
  readonly eksEndpoint: string;
  /** Gets each execution environment that is booted. */
  readonly boots?: Boots[];
}

export interface PackagedInstallation extends Installation {
  readonly functions: ReadonlyMap<string, PackagedFunction>;
}

const table = "driftless-prod";
const webhookSecretId = "arn:aws:secretsmanager:us-east-1:000000000000:secret:webhook-AbCdEf";
const snapshotKeyId = "arn:aws:secretsmanager:us-east-1:000000000000:secret:snapshot-key-AbCdEf";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/**
 * The packaged functions as their template says: names, handlers, timeouts, variables, routes, queue. What AWS is stands here as in
 * local mode. Of the functions' own variables these are another's, since they are parameters of a deployment, or of its
 * processor: the repository, where GitHub is, and where the render helper is.
 */
export async function startPackagedInstallation(options: PackagedInstallationOptions): Promise<PackagedInstallation> {
  const { artefacts, log } = options;
  const { template } = artefacts;
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
    const services = await startServices({
      [webhookSecretId]: JSON.stringify({ current: options.webhookSecret }),
      [snapshotKeyId]: snapshotKey,
      ...(options.github === undefined ? {} : { [githubSecret]: options.github.secret }),
    });
    for (const part of Object.values(services)) keep(part);
    const dynamodb = openTable(services.table.endpoint);
    const sqs = new SQSClient({ region, credentials, endpoint: services.queue.endpoint });
    closing.unshift(async () => {
      dynamodb.close();
      sqs.destroy();
    });
    await createTable({ client: dynamodb, table });
    const { queueUrl } = await createRevisionQueue(template, { client: sqs, endpoint: services.queue.endpoint });
    const functions = withLocalParameters(
      packagedFunctions(artefacts, {
        Table: table,
        RevisionQueue: queueUrl,
        WebhookSecret: webhookSecretId,
        SnapshotKey: snapshotKeyId,
      }),
      options,
    );
    const lambda = keep(
      await startLambda({
        functions: Object.fromEntries(
          Array.from(functions, ([name, { folder, timeoutSeconds, durable }]) => [
            name,
            { module: folder, timeoutSeconds, durable },
          ]),
        ),
        environment: {
          AWS_ENDPOINT_URL_DYNAMODB: services.table.endpoint,
          AWS_ENDPOINT_URL_SQS: services.queue.endpoint,
          AWS_ENDPOINT_URL_EVENTBRIDGE: services.events.endpoint,
          AWS_ENDPOINT_URL_SECRETS_MANAGER: services.secrets.endpoint,
          AWS_ENDPOINT_URL_EKS: options.eksEndpoint,
        },
        log,
        startWorker: packagedWorker({ client: options.client, functions }, options.boots),
        ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
      }),
    );
    keep(
      startEventSource({
        client: sqs,
        queueUrl,
        functionName: nameOf(template, "PlanLambdaFunction"),
        invoke: lambda.invoke,
        log,
      }),
    );
    const gateway = keep(await startGateway({ routes: routesOf(template), invoke: lambda.invoke, log }));
    return {
      url: gateway.url,
      stores: createDynamoStores({ client: dynamodb, table, clock, snapshotKey: new Secret(snapshotKey) }),
      lambda,
      queueUrl,
      sqs,
      dynamodb,
      table,
      events: services.events.events,
      functions,
      sweep: () => lambda.invoke(nameOf(template, "SweepLambdaFunction"), {}),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServices(secrets: Readonly<Record<string, string>>) {
  const [table, queue, events, secretsManager] = await Promise.all([
    startMemoryTable(),
    startQueue(),
    startEvents(),
    startSecrets({ secrets }),
  ]);
  return { table, queue, events, secrets: secretsManager };
}

function createRevisionQueue(template: Template, { client, endpoint }: { client: SQSClient; endpoint: string }) {
  const { VisibilityTimeout, RedrivePolicy } = resourceOf(template, "RevisionQueue").Properties as {
    readonly VisibilityTimeout: number;
    readonly RedrivePolicy: { readonly maxReceiveCount: number };
  };
  const { maxReceiveCount } = RedrivePolicy;
  return createFifoQueue({ client, endpoint, name: "revisions", visibilityTimeout: VisibilityTimeout, maxReceiveCount });
}

/** Parameters of the deployment; the zip's render helper is for arm64. */
function withLocalParameters(
  functions: ReadonlyMap<string, PackagedFunction>,
  { configRepository, renderHelper, github, logLevel = "info" }: InstallationOptions,
): ReadonlyMap<string, PackagedFunction> {
  const local: Readonly<Record<string, string>> = {
    DRIFTLESS_CONFIG_REPOSITORY: configRepository,
    DRIFTLESS_RENDER_HELPER: renderHelper,
    DRIFTLESS_LOG_LEVEL: logLevel,
    ...(github === undefined ? {} : { DRIFTLESS_GITHUB_API_URL: github.apiUrl }),
  };
  const replaced = (variables: PackagedFunction["variables"]): PackagedFunction["variables"] =>
    Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, local[name] ?? value]));
  return new Map(Array.from(functions, ([name, each]) => [name, { ...each, variables: replaced(each.variables) }]));
}

/** Name of the function of a logical id. */
export function nameOf(template: Template, id: string): string {
  return String(resourceOf(template, id).Properties["FunctionName"]);
}

/** `POST /webhook`: name of its function. */
function routesOf(template: Template): Readonly<Record<string, string>> {
  const routes = [...resourcesOf(template, "AWS::ApiGatewayV2::Route").values()].map(({ Properties }) => {
    const { RouteKey, Target } = Properties as {
      readonly RouteKey: string;
      readonly Target: { readonly "Fn::Join": readonly [string, readonly [string, { readonly Ref: string }]] };
    };
    const { IntegrationUri } = resourceOf(template, Target["Fn::Join"][1][1].Ref).Properties as {
      readonly IntegrationUri: { readonly "Fn::GetAtt": readonly [string, string] };
    };
    return [RouteKey, nameOf(template, IntegrationUri["Fn::GetAtt"][0])] as const;
  });
  return Object.fromEntries(routes);
}
