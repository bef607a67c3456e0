import { setTimeout as delay } from "node:timers/promises";
import { outdatedSignatures, type PostAnswer, type SignedPost } from "../aws/signed-post.ts";
import type { AwsCredentials } from "../aws/sigv4.ts";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";

/** The role that opens a cluster, for one session. */
export interface RoleRequest {
  readonly arn: string;
  /** "" for none. */
  readonly externalId: string;
  /** 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -`. */
  readonly session: string;
  /** A policy in JSON: the session may do only what it and the role's own both allow. */
  readonly policy: string;
}

/** Credentials of a role, and when they end. */
export interface RoleCredentials extends AwsCredentials {
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface AssumeRoleDeps {
  /** Posts to STS of the cluster's region, as Driftless itself. */
  readonly sts: SignedPost;
  readonly region: string;
  readonly random?: () => number;
}

const attempts = 3;
/** Pauses are drawn from 0 to this many milliseconds, twice as many each time. */
const firstPause = 100;

/**
 * Asks STS for an hour as a role (AssumeRole); throws `cluster`, saying what the role has to trust.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export async function assumeRole(
  request: RoleRequest,
  { sts, region, random = Math.random, signal }: AssumeRoleDeps & CallOptions,
): Promise<RoleCredentials> {
  let isRenewed = false;
  for (let attempt = 1; ; attempt++) {
    const reply = await once(request, sts, signal === undefined ? {} : { signal });
    if ("credentials" in reply) return reply.credentials;
    const renews: boolean = !isRenewed && reply.from !== undefined && outdatedSignatures.has(reply.fault);
    if (!renews && (!reply.passes || attempt >= attempts)) throw failure(request, reply, region);
    try {
      if (renews) await sts.renew(reply.from as PostAnswer);
      else await delay(random() * firstPause * 2 ** (attempt - 1), undefined, signal === undefined ? {} : { signal });
    } catch (cause) {
      throw failure(request, { ...reply, cause }, region);
    }
    isRenewed ||= renews;
  }
}

interface Fault {
  readonly fault: string;
  readonly message: string;
  /** The same call may succeed later. */
  readonly passes: boolean;
  readonly from?: PostAnswer;
  readonly cause?: unknown;
}

async function once(
  request: RoleRequest,
  sts: SignedPost,
  options: CallOptions,
): Promise<{ readonly credentials: RoleCredentials } | Fault> {
  const form = new URLSearchParams({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: request.arn,
    RoleSessionName: request.session,
    Policy: request.policy,
    ...(request.externalId === "" ? {} : { ExternalId: request.externalId }),
  });
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  try {
    return read(await sts.send({ headers, body: form.toString() }, options));
  } catch (cause) {
    const isMissing = cause instanceof Error && cause.name === "CredentialsProviderError";
    const fault = isMissing ? cause.name : "NoAnswer";
    return { fault, message: messageOf(cause), passes: !isMissing && options.signal?.aborted !== true, cause };
  }
}

function read(from: PostAnswer): { readonly credentials: RoleCredentials } | Fault {
  const text = from.body.toString("utf8");
  if (from.status === 200) {
    const accessKeyId = element(text, "AccessKeyId");
    const secretAccessKey = element(text, "SecretAccessKey");
    const sessionToken = element(text, "SessionToken");
    const expiration = new Date(element(text, "Expiration"));
    if ([accessKeyId, secretAccessKey, sessionToken].every((value) => value !== "") && !Number.isNaN(expiration.getTime()))
      return { credentials: { accessKeyId, secretAccessKey, sessionToken, expiration } };
    return { fault: "GarbledAnswer", message: "the answer has no credentials", passes: true };
  }
  const fault = element(text, "Code") || `Http${from.status}`;
  const message = element(text, "Message") || `it answered ${from.status}`;
  return { fault, message, passes: from.status >= 500 || fault.startsWith("Throttl"), from };
}

const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

/** Text of the first XML element of a name that has no other inside; "" when there is none. */
function element(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
  return text.replace(/&(quot|apos|lt|gt|amp);/g, (_, entity: string) => entities[entity] ?? "").trim();
}

function failure({ arn, externalId, session }: RoleRequest, fault: Fault, region: string): DriftlessError {
  const { fault: name, message, cause, passes } = fault;
  const text = `Cannot assume the role ${arn} as session ${session} by STS in ${region}: ${message}`;
  const advice = adviceOf(name, externalId);
  return new DriftlessError("cluster", advice === undefined ? text : `${text}; ${advice}`, {
    cause: cause ?? new Error(`${name}: ${message}`),
    retryable: passes,
    facts: { role: arn, session, region, fault: name },
  });
}

/** STS says of a wrong trust, a wrong external id and a missing right the same: AccessDenied. */
function adviceOf(fault: string, externalId: string): string | undefined {
  switch (fault) {
    case "AccessDenied": {
      const condition =
        externalId === ""
          ? "and ask for no sts:ExternalId, since the configuration states no externalId for it"
          : `under the condition StringEquals {"sts:ExternalId": ${JSON.stringify(externalId)}}`;
      const trust = `its trust policy has to allow sts:AssumeRole to the role of this function (or its account), ${condition}`;
      return `${trust}; and the function's own policy has to allow sts:AssumeRole on it (parameter clusterRoles)`;
    }
    case "ValidationError":
      return "check its ARN (arn:aws:iam::ACCOUNT:role/NAME) and its externalId in the configuration";
    case "RegionDisabledException":
      return "activate STS for this region in the account of the role";
    case "CredentialsProviderError":
      return "no AWS credentials were found";
    case "InvalidClientTokenId":
      return "the AWS credentials of this function are not valid in this region";
    default:
      return undefined;
  }
}
