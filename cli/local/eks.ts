import type { IncomingMessage, ServerResponse } from "node:http";
import type { AwsCredentials } from "../../lib/aws/sigv4.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../lib/model/json.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import { accessKeyOf, refuseToken } from "./eks-token.ts";
import { type LoopbackOptions, readBody, sendJson, startLoopback } from "./loopback.ts";
import { type LocalCaller, type LocalSts, principalId } from "./sts.ts";

export interface LocalEksCluster {
  readonly name: string;
  /** `https://host:port` of the API server. */
  readonly endpoint: string;
  /** PEM of its authority. */
  readonly ca: string;
  /** Default ACTIVE; with CREATING, DELETING and FAILED it has no endpoint. */
  readonly status?: string;
}

/** Stands for Amazon EKS; clients find it by AWS_ENDPOINT_URL_EKS. */
export interface LocalEks {
  readonly endpoint: string;
  /** What an API server's authentication webhook is pointed at; may be asked before the cluster is put. */
  tokenReviewUrl(clusterName: string): string;
  /** Adds a cluster or changes one. */
  put(cluster: LocalEksCluster): void;
  close(): Promise<void>;
}

/** Lets a role in, as EKS' access entries do. */
export interface LocalAccessEntry {
  /** ARN of the role. */
  readonly principalArn: string;
  /** `{{SessionName}}` stands for the session's; default `arn:aws:sts::ACCOUNT:assumed-role/ROLE/{{SessionName}}`. */
  readonly username?: string;
  readonly groups: readonly string[];
}

export interface LocalEksOptions extends LoopbackOptions {
  readonly region: string;
  /** The identity whose tokens are accepted without an access entry. */
  readonly credentials: AwsCredentials;
  /** Groups of the user `driftless` that a good token stands for; empty by default. */
  readonly groups?: readonly string[];
  /** Who has given roles to whom; without it roles are not known. */
  readonly sts?: Pick<LocalSts, "callerOf">;
  readonly accessEntries?: readonly LocalAccessEntry[];
  readonly clock?: Clock;
}

/** Whom a good token stands for, as a TokenReview says it. */
interface LocalUser {
  readonly credentials: AwsCredentials;
  readonly user: Readonly<Record<string, unknown>>;
}

/** A token is some 500 characters, a session token may add some thousand. */
const reviewLimit = 65_536;

/** Serves DescribeCluster, and token reviews that really check the presigned URL: only the call to STS itself is left out. */
export async function startEks({
  region,
  credentials,
  groups = [],
  sts,
  accessEntries = [],
  clock = systemClock,
  port,
}: LocalEksOptions): Promise<LocalEks> {
  const clusters = new Map<string, LocalEksCluster>();

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, collection, name = ""] = (request.url ?? "").split("?")[0]!.split("/").map(decodeURIComponent);
    if (request.method === "GET" && collection === "clusters") return describe(name, response);
    if (request.method === "POST" && collection === "token-review" && name !== "") return review(name, request, response);
    return sendJson(response, 404, { message: "Only DescribeCluster and token reviews are served locally." });
  }

  function describe(name: string, response: ServerResponse): void {
    const cluster = clusters.get(name);
    if (cluster === undefined) {
      const headers = { "x-amzn-errortype": "ResourceNotFoundException" };
      return sendJson(response, 404, { message: `No cluster found for name: ${name}.` }, headers);
    }
    const { status = "ACTIVE" } = cluster;
    return sendJson(response, 200, {
      cluster: {
        name,
        arn: `arn:aws:eks:${region}:000000000000:cluster/${name}`,
        ...(/^(CREATING|DELETING|FAILED)$/.test(status) ? {} : { endpoint: cluster.endpoint }),
        certificateAuthority: { data: Buffer.from(cluster.ca).toString("base64") },
        status,
      },
    });
  }

  async function review(clusterName: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readReview(request);
    if (asked === undefined) return sendJson(response, 400, { message: "The body is no TokenReview." });
    const { user, credentials: signing } = userOf(accessKeyOf(asked.token)) ?? { credentials };
    const refusal =
      refuseToken(asked.token, { clusterName, region, credentials: signing, now: clock.now() }) ??
      (user === undefined ? "no access entry has its role" : undefined);
    const status =
      refusal === undefined ? { authenticated: true, user } : { authenticated: false, error: `The token is refused: ${refusal}` };
    return sendJson(response, 200, { apiVersion: asked.apiVersion, kind: "TokenReview", status });
  }

  function userOf(accessKeyId: string): LocalUser | undefined {
    if (accessKeyId === credentials.accessKeyId)
      return { credentials, user: { username: "driftless", uid: accessKeyId, groups } };
    const caller = sts?.callerOf(accessKeyId);
    const entry = accessEntries.find(({ principalArn }) => principalArn === caller?.canonicalArn);
    return caller === undefined || entry === undefined
      ? undefined
      : { credentials: caller.credentials, user: roleUser(caller, entry) };
  }

  const server = await startLoopback(respond, port === undefined ? {} : { port });
  return {
    endpoint: server.url,
    tokenReviewUrl: (clusterName) => `${server.url}/token-review/${encodeURIComponent(clusterName)}`,
    put: (cluster) => void clusters.set(cluster.name, cluster),
    close: () => server.close(),
  };
}

function roleUser({ credentials, arn, canonicalArn, sessionName }: LocalCaller, entry: LocalAccessEntry): LocalUser["user"] {
  const { username = `${arn.slice(0, arn.length - sessionName.length)}{{SessionName}}`, groups } = entry;
  const principal = principalId({ canonicalArn, sessionName });
  const extra = {
    accessKeyId: [credentials.accessKeyId],
    arn: [arn],
    canonicalArn: [canonicalArn],
    principalId: [principal.split(":")[0]],
    sessionName: [sessionName],
  };
  return { username: username.replaceAll("{{SessionName}}", sessionName), uid: principal, groups, extra };
}

async function readReview(
  request: IncomingMessage,
): Promise<{ readonly apiVersion: string; readonly token: string } | undefined> {
  const body = await readBody(request, reviewLimit);
  const review = body === undefined ? undefined : parsed(body);
  const spec = isJsonObject(review?.["spec"]) ? review["spec"] : {};
  const apiVersion = review?.["apiVersion"];
  const token = spec["token"];
  return typeof apiVersion === "string" && typeof token === "string" ? { apiVersion, token } : undefined;
}

function parsed(body: Buffer): JsonObject | undefined {
  try {
    const value = parseJson(body.toString("utf8"));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
