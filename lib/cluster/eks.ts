import { DescribeClusterCommand, type DescribeClusterCommandOutput, type EKSClient } from "@aws-sdk/client-eks";
import type { CredentialProvider } from "../aws/signed-post.ts";
import { type AwsCredentials, presign } from "../aws/sigv4.ts";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import { Secret } from "../telemetry/secret.ts";
import { abortable } from "./abortable.ts";
import type { Authorize, Connection } from "./transport.ts";

/** Set before the base64 of the presigned URL; EKS knows its tokens by it. */
export const tokenPrefix = "k8s-aws-v1.";

/** The signed header that binds a token to one cluster. */
export const clusterHeader = "x-k8s-aws-id";

/** EKS accepts a token for 15 minutes from its signature; it is replaced after 10. */
const refreshAfterMs = 10 * 60 * 1000;

/** Temporary credentials are replaced so long before they end, here as in the clients of AWS. */
const renewCredentialsBeforeMs = 5 * 60 * 1000;

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
    const status = cluster?.status ?? "unknown";
    const text = `EKS cluster ${clusterName} in ${region} has no endpoint (status ${status}): ${statusAdvice(status)}`;
    throw new DriftlessError("cluster", text, { retryable: !ended.has(status), facts: { clusterName, region, status } });
  }
  return {
    server: cluster.endpoint,
    ca: Buffer.from(authority, "base64"),
    authorize: createTokens({ clusterName, region, credentials: (options) => client.config.credentials(options), clock }),
  };
}

/** A cluster in these never gets an endpoint. */
const ended: ReadonlySet<string> = new Set(["DELETING", "FAILED"]);

function statusAdvice(status: string): string {
  switch (status) {
    case "CREATING":
    case "PENDING":
      return "wait until it is ACTIVE";
    case "DELETING":
      return "it is being deleted; take it out of the configuration";
    case "FAILED":
      return "EKS could not create it; see why in the console of EKS";
    default:
      return "see its status in the console of EKS";
  }
}

interface DescribeDeps extends CallOptions {
  readonly client: EKSClient;
  readonly region: string;
}

async function describe(name: string, { client, region, signal }: DescribeDeps): Promise<DescribeClusterCommandOutput> {
  try {
    return await client.send(new DescribeClusterCommand({ name }), signal === undefined ? {} : { abortSignal: signal });
  } catch (cause) {
    // Of a role that could not be assumed.
    if (cause instanceof DriftlessError) throw cause;
    const permanent = permanentFaults[nameOf(cause)];
    const advice = permanent ?? passingAdvice;
    throw new DriftlessError("cluster", `Cannot describe EKS cluster ${name} in ${region}: ${messageOf(cause)}; ${advice}`, {
      cause,
      retryable: permanent === undefined,
      facts: { clusterName: name, region, fault: nameOf(cause) },
    });
  }
}

const permanentFaults: { readonly [name: string]: string } = {
  ResourceNotFoundException: "check its name, its region and the account",
  AccessDeniedException:
    "allow eks:DescribeCluster on its ARN: to this function (parameter clusterArns), or to the cluster's eks.role",
  InvalidParameterException: "check its name",
  CredentialsProviderError: "no AWS credentials were found",
  UnrecognizedClientException: "the AWS credentials are not valid",
};

/** Of what may pass: throttling, 5xx, and no answer at all. */
const passingAdvice =
  "it is tried again; where there never is an answer, subnets without a way to the internet need an interface endpoint for eks";

export interface TokenDeps {
  readonly clusterName: string;
  readonly region: string;
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
}

interface Minted {
  readonly header: Secret;
  readonly mintedAt: number;
  /** When it is replaced: no later than its credentials would be, since a token is good for no longer than they are. */
  readonly until: number;
}

/** Bearer tokens of one identity for one cluster; a `fresh` one is signed anew, with new credentials where these were of a role. */
export function createTokens({ clusterName, region, credentials, clock }: TokenDeps): Authorize {
  let current: Minted | undefined;
  let minting: Promise<Minted> | undefined;
  const now = () => clock.now().getTime();
  const isGood = ({ mintedAt, until }: Minted) => now() >= mintedAt && now() < until;

  async function mint(fresh: boolean): Promise<Minted> {
    const signing = await currentCredentials(credentials, fresh);
    const at = clock.now();
    const token = mintToken({ clusterName, region, credentials: signing, at });
    const ends = (signing.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - renewCredentialsBeforeMs;
    const until = Math.min(at.getTime() + refreshAfterMs, ends);
    return (current = { header: new Secret(`Bearer ${token}`), mintedAt: at.getTime(), until });
  }

  return async ({ fresh, signal }) => {
    if (current !== undefined && !fresh && isGood(current)) return current.header;
    minting ??= mint(fresh).finally(() => {
      minting = undefined;
    });
    return (await abortable(minting, signal)).header;
  };
}

async function currentCredentials(find: CredentialProvider, fresh: boolean): ReturnType<CredentialProvider> {
  try {
    return await find({ forceRefresh: fresh });
  } catch (cause) {
    if (cause instanceof DriftlessError) throw cause;
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
