import type { IncomingMessage, ServerResponse } from "node:http";
import type { AwsCredentials } from "../../lib/aws/sigv4.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../lib/model/json.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import { refuseToken } from "./eks-token.ts";
import { type LoopbackOptions, readBody, sendJson, startLoopback } from "./loopback.ts";

export interface LocalEksCluster {
  readonly name: string;
  /** `https://host:port` of the API server. */
  readonly endpoint: string;
  /** PEM of its authority. */
  readonly ca: string;
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

export interface LocalEksOptions extends LoopbackOptions {
  readonly region: string;
  /** The only identity whose tokens are accepted. */
  readonly credentials: AwsCredentials;
  /** Groups of the user `driftless` that a good token stands for; empty by default. */
  readonly groups?: readonly string[];
  readonly clock?: Clock;
}

/** A token is some 500 characters, a session token may add some thousand. */
const reviewLimit = 65_536;

/** Serves DescribeCluster, and token reviews that really check the presigned URL: only the call to STS itself is left out. */
export async function startEks({
  region,
  credentials,
  groups = [],
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
    return sendJson(response, 200, {
      cluster: {
        name,
        arn: `arn:aws:eks:${region}:000000000000:cluster/${name}`,
        endpoint: cluster.endpoint,
        certificateAuthority: { data: Buffer.from(cluster.ca).toString("base64") },
        status: "ACTIVE",
      },
    });
  }

  async function review(clusterName: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readReview(request);
    if (asked === undefined) return sendJson(response, 400, { message: "The body is no TokenReview." });
    const refusal = refuseToken(asked.token, { clusterName, region, credentials, now: clock.now() });
    const status =
      refusal === undefined
        ? { authenticated: true, user: { username: "driftless", uid: credentials.accessKeyId, groups } }
        : { authenticated: false, error: `The token is refused: ${refusal}` };
    return sendJson(response, 200, { apiVersion: asked.apiVersion, kind: "TokenReview", status });
  }

  const server = await startLoopback(respond, port === undefined ? {} : { port });
  return {
    endpoint: server.url,
    tokenReviewUrl: (clusterName) => `${server.url}/token-review/${encodeURIComponent(clusterName)}`,
    put: (cluster) => void clusters.set(cluster.name, cluster),
    close: () => server.close(),
  };
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
