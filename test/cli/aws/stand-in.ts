import type { IncomingMessage, ServerResponse } from "node:http";
import { type LoopbackServer, readBody, sendJson, startLoopback } from "../../../cli/local/loopback.ts";
import { isSignedBy, type Signer } from "./verify-signature.ts";

/** What an account holds, as far as the command line asks; a test changes what it breaks. */
export interface Account {
  stack: { status: string; outputs: Record<string, string> } | undefined;
  /** Names of further stacks that stand. */
  otherStacks?: readonly string[];
  /** Messages by the queue's name. */
  readonly queues: Record<string, number>;
  /** Seconds, of the oldest message of any queue. */
  oldest: number;
  table: Record<string, unknown>;
  pitr: string;
  ttl: Record<string, string>;
  /** Texts by id or ARN. */
  readonly secrets: Record<string, string>;
  /** Operations that are denied: `GetSecretValue`. */
  readonly denied: Set<string>;
  /** Header `date` of every answer; the right one when absent. */
  date?: string;
}

export interface AwsStandIn {
  readonly url: string;
  readonly account: Account;
  /** Operations in the order in which they were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const operator = { accessKeyId: "AKIDOPERATOR", secretAccessKey: "operator-key", region: "eu-central-1" } as const;

/** Environment in which the command line finds the stand-in, and its credentials. */
export function environmentOf({ url }: Pick<AwsStandIn, "url">): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: operator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Services of AWS on loopback, each of which checks the signature of what it is asked. */
export async function startAws(account: Account): Promise<AwsStandIn> {
  const asked: string[] = [];
  const server: LoopbackServer = await startLoopback(async (request, response) => {
    const body = (await readBody(request, 262_144)) ?? Buffer.alloc(0);
    if (account.date !== undefined) response.setHeader("date", account.date);
    const [, service = ""] = /\/\d{8}\/[^/]+\/([a-z]+)\/aws4_request/.exec(request.headers.authorization ?? "") ?? [];
    const signer: Signer = { ...operator, service };
    if (!isSignedBy(signer, request, body)) return refuse(response, "SignatureDoesNotMatch", "the signature does not hold");
    const target = request.headers["x-amz-target"];
    const [operation = ""] =
      target === undefined ? [new URLSearchParams(body.toString()).get("Action") ?? ""] : [String(target).split(".").at(-1)];
    asked.push(operation);
    if (account.denied.has(operation)) return refuse(response, "AccessDeniedException", `not allowed to ${operation}`, target);
    if (target === undefined) return answerXml(account, new URLSearchParams(body.toString()), response);
    return answerJson(account, { operation, body: JSON.parse(body.toString()) as Record<string, unknown> }, response);
  });
  return { url: server.url, account, asked, close: () => server.close() };
}

function refuse(response: ServerResponse, fault: string, message: string, target: IncomingMessage["headers"][string] = ""): void {
  if (target !== "") return sendJson(response, 400, { __type: fault, message });
  const status = fault === "AccessDeniedException" ? 403 : 400;
  response
    .writeHead(status)
    .end(
      `<ErrorResponse><Error><Code>${fault.replace(/Exception$/, "")}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
}

function answerXml({ stack: own, otherStacks = [], oldest }: Account, request: URLSearchParams, response: ServerResponse): void {
  const action = request.get("Action") ?? "";
  switch (action) {
    case "DescribeStacks": {
      const name = request.get("StackName") ?? "";
      const other = otherStacks.includes(name) ? { status: "CREATE_COMPLETE", outputs: {} } : undefined;
      const stack = name === "driftless-prod" ? own : other;
      if (stack === undefined)
        return refuse(response, "ValidationError", `Stack with id ${request.get("StackName")} does not exist`);
      const outputs = Object.entries(stack.outputs).map(
        ([key, value]) =>
          `<member><OutputKey>${key}</OutputKey><OutputValue>${String(value).replaceAll("&", "&amp;")}</OutputValue></member>`,
      );
      const tags = "<Tags><member><Key>service</Key><Value>driftless</Value></member></Tags>";
      const inner = `<StackName>driftless-prod</StackName><StackStatus>${stack.status}</StackStatus>${tags}<Outputs>${outputs.join("")}</Outputs>`;
      return void response.end(
        `<DescribeStacksResponse><DescribeStacksResult><Stacks><member>${inner}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
      );
    }
    case "GetMetricStatistics": {
      const point = (time: string, seconds: number): string =>
        `<member><Timestamp>${time}</Timestamp><Maximum>${seconds}</Maximum><Unit>Seconds</Unit></member>`;
      const points = [point("2026-11-21T12:02:00Z", oldest), point("2026-11-21T12:01:00Z", 7)];
      return void response.end(
        `<GetMetricStatisticsResult><Datapoints>${points.join("")}</Datapoints></GetMetricStatisticsResult>`,
      );
    }
    case "GetCallerIdentity":
      return void response.end(
        "<GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/ada</Arn></GetCallerIdentityResult>",
      );
    default:
      return refuse(response, "InvalidAction", `no action ${action}`);
  }
}

function answerJson(
  account: Account,
  { operation, body }: { readonly operation: string; readonly body: Record<string, unknown> },
  response: ServerResponse,
): void {
  const id = (body["SecretId"] ?? body["Name"] ?? "") as string;
  const arn = id.startsWith("arn:") ? id : `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${id}-AbCdEf`;
  const known = [id, arn].find((name) => name in account.secrets);
  switch (operation) {
    case "GetQueueAttributes": {
      const count = account.queues[String(body["QueueUrl"]).split("/").at(-1) ?? ""];
      if (count === undefined)
        return sendJson(response, 400, { __type: "com.amazonaws.sqs#QueueDoesNotExist", message: "no such queue" });
      const Attributes = { ApproximateNumberOfMessages: String(count), ApproximateNumberOfMessagesNotVisible: "0" };
      return sendJson(response, 200, { Attributes });
    }
    case "DescribeTable":
      return sendJson(response, 200, { Table: account.table });
    case "DescribeContinuousBackups": {
      const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus: account.pitr };
      return sendJson(response, 200, { ContinuousBackupsDescription: { PointInTimeRecoveryDescription } });
    }
    case "DescribeTimeToLive":
      return sendJson(response, 200, { TimeToLiveDescription: account.ttl });
    case "GetSecretValue":
      if (known === undefined) return refuse(response, "ResourceNotFoundException", "no such secret", "json");
      return sendJson(response, 200, { ARN: arn, SecretString: account.secrets[known] });
    case "CreateSecret":
      if (known !== undefined) return refuse(response, "ResourceExistsException", "it is there", "json");
      account.secrets[arn] = String(body["SecretString"]);
      return sendJson(response, 200, { ARN: arn });
    case "PutSecretValue":
      if (known === undefined) return refuse(response, "ResourceNotFoundException", "no such secret", "json");
      account.secrets[known] = String(body["SecretString"]);
      return sendJson(response, 200, { ARN: arn });
    default:
      return refuse(response, "UnknownOperationException", operation, "json");
  }
}
