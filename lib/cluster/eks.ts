import { DescribeClusterCommand, type DescribeClusterCommandOutput, type EKSClient } from "@aws-sdk/client-eks";
import { type AwsCredentials, presign } from "../aws/sigv4.ts";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import { Secret } from "../telemetry/secret.ts";
import type { Connection } from "./transport.ts";

/** Set before the base64 of the presigned URL; EKS knows its tokens by it. */
export const tokenPrefix = "k8s-aws-v1.";

/** The signed header that binds a token to one cluster. */
export const clusterHeader = "x-k8s-aws-id";

/** EKS accepts a token for 15 minutes from its signature; it is replaced after 10. */
const refreshAfterMs = 10 * 60 * 1000;

export interface EksDeps {
  /** Its region is the cluster's; its credentials sign the token. */
  readonly client: EKSClient;
  readonly clock: Clock;
}

/** Asks EKS for endpoint and authority of a cluster; tokens are signed locally. Throws `cluster`. */
export async function openEks(clusterName: string, { client, clock, signal }: EksDeps & CallOptions): Promise<Connection> {
  const region = await client.config.region();
  const { cluster } = await describe(clusterName, { client, region, ...(signal ? { signal } : {}) });
  const authority = cluster?.certificateAuthority?.data;
  if (cluster?.endpoint === undefined || authority === undefined) {
    const text = `EKS cluster ${clusterName} in ${region} has no endpoint yet (status ${cluster?.status ?? "unknown"})`;
    throw new DriftlessError("cluster", text, { retryable: true, facts: { clusterName, region } });
  }
  return {
    server: cluster.endpoint,
    ca: Buffer.from(authority, "base64"),
    authorize: tokens({ clusterName, client, clock, region }),
  };
}

interface DescribeDeps extends CallOptions {
  readonly client: EKSClient;
  readonly region: string;
}

async function describe(name: string, { client, region, signal }: DescribeDeps): Promise<DescribeClusterCommandOutput> {
  try {
    return await client.send(new DescribeClusterCommand({ name }), signal === undefined ? {} : { abortSignal: signal });
  } catch (cause) {
    const permanent = permanentFaults[nameOf(cause)];
    const advice = permanent === undefined ? "" : `; ${permanent}`;
    throw new DriftlessError("cluster", `Cannot describe EKS cluster ${name} in ${region}: ${messageOf(cause)}${advice}`, {
      cause,
      retryable: permanent === undefined,
      facts: { clusterName: name, region, fault: nameOf(cause) },
    });
  }
}

const permanentFaults: { readonly [name: string]: string } = {
  ResourceNotFoundException: "check its name, its region and the account",
  AccessDeniedException: "the role needs eks:DescribeCluster on it",
  InvalidParameterException: "check its name",
  CredentialsProviderError: "no AWS credentials were found",
  UnrecognizedClientException: "the AWS credentials are not valid",
};

type TokenDeps = EksDeps & { readonly clusterName: string; readonly region: string };

function tokens({ clusterName, client, clock, region }: TokenDeps): NonNullable<Connection["authorize"]> {
  let current: { readonly header: Secret; readonly mintedAt: number } | undefined;
  return async ({ fresh }) => {
    const now = clock.now();
    const age = current === undefined ? Number.POSITIVE_INFINITY : now.getTime() - current.mintedAt;
    if (current === undefined || fresh || age >= refreshAfterMs) {
      const credentials = await currentCredentials(client);
      const token = mintToken({ clusterName, region, credentials, at: now });
      current = { header: new Secret(`Bearer ${token}`), mintedAt: now.getTime() };
    }
    return current.header;
  };
}

async function currentCredentials(client: EKSClient): Promise<AwsCredentials> {
  try {
    return await client.config.credentials();
  } catch (cause) {
    throw new DriftlessError("cluster", `No AWS credentials to sign a token with: ${messageOf(cause)}`, { cause });
  }
}

export interface TokenRequest {
  readonly clusterName: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly at: Date;
}

/** A bearer token for one EKS cluster: a presigned GetCallerIdentity that names the cluster. A secret. */
export function mintToken({ clusterName, region, credentials, at }: TokenRequest): string {
  const url = presign({
    host: stsHost(region),
    region,
    service: "sts",
    query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
    headers: { [clusterHeader]: clusterName },
    credentials,
    at,
    expiresIn: 60,
  });
  return `${tokenPrefix}${Buffer.from(url).toString("base64url")}`;
}

/** The regional STS endpoint, in the partition of the region. */
export function stsHost(region: string): string {
  return `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}
