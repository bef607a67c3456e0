import { timingSafeEqual } from "node:crypto";
import { type AwsCredentials, presign } from "../../lib/aws/sigv4.ts";
import { clusterHeader, stsHost, tokenPrefix } from "../../lib/cluster/eks.ts";

export interface TokenCheck {
  /** The cluster that is asked; a token for another one is refused. */
  readonly clusterName: string;
  readonly region: string;
  /** The only identity that is known. */
  readonly credentials: AwsCredentials;
  readonly now: Date;
}

/** STS redeems a presigned GetCallerIdentity for this long, whatever `X-Amz-Expires` says. */
const lifetimeMs = 15 * 60 * 1000;
const clockSkewMs = 5 * 60 * 1000;

const expectedParameters = [
  "Action",
  "Version",
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
];

/** Checks a token as EKS and STS together do; undefined when it is good, else why not. */
export function refuseToken(token: string, check: TokenCheck): string | undefined {
  if (!token.startsWith(tokenPrefix)) return "the prefix is missing";
  const encoded = token.slice(tokenPrefix.length);
  if (Buffer.from(encoded, "base64url").toString("base64url") !== encoded) return "it is not base64url";
  return refuseUrl(urlOf(token), check);
}

/** The access key that a token or presigned URL says to be signed with; "" when it says none. Nothing of it is checked. */
export function accessKeyOf(token: string): string {
  return urlOf(token)?.searchParams.get("X-Amz-Credential")?.split("/")[0] ?? "";
}

function urlOf(token: string): URL | null {
  const text = Buffer.from(token.slice(tokenPrefix.length), "base64url").toString("latin1");
  // The URL parser would trim what stands around it.
  return /^[\x21-\x7e]+$/.test(text) ? URL.parse(text) : null;
}

/** Checks a presigned GetCallerIdentity; undefined when it is good, else why not. */
export function refuseUrl(url: URL | null, check: TokenCheck): string | undefined {
  if (url === null || url.protocol !== "https:" || url.host !== stsHost(check.region) || url.pathname !== "/") {
    return `it is no https URL of ${stsHost(check.region)}`;
  }
  return refuseParameters(url, check) ?? refuseSignature(url, check);
}

function refuseParameters({ searchParams }: URL, { now }: TokenCheck): string | undefined {
  const names = [...searchParams.keys()];
  if (new Set(names).size !== names.length) return "a parameter stands twice";
  const unknown = names.find((name) => !expectedParameters.includes(name));
  if (unknown !== undefined) return `parameter ${unknown} is not allowed`;
  if (searchParams.get("Action") !== "GetCallerIdentity" || searchParams.get("Version") !== "2011-06-15")
    return "it is another action";
  const expires = Number(searchParams.get("X-Amz-Expires"));
  if (!Number.isInteger(expires) || expires <= 0 || expires > 900) return "X-Amz-Expires is not within 900 seconds";
  const signedAt = timeOf(searchParams.get("X-Amz-Date") ?? "");
  if (signedAt === undefined || signedAt.getTime() > now.getTime() + clockSkewMs) return "its date is not valid";
  if (now.getTime() > signedAt.getTime() + lifetimeMs) return "it has expired";
  const signed = (searchParams.get("X-Amz-SignedHeaders") ?? "").split(";");
  return signed.includes(clusterHeader) && signed.includes("host") ? undefined : `${clusterHeader} is not signed`;
}

/** Signs the same request again and compares: any other parameter, cluster, identity or key gives another signature. */
function refuseSignature({ searchParams, host }: URL, { clusterName, region, credentials }: TokenCheck): string | undefined {
  const sessionToken = credentials.sessionToken ?? searchParams.get("X-Amz-Security-Token") ?? undefined;
  const expected = presign({
    host,
    region,
    service: "sts",
    query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
    headers: { [clusterHeader]: clusterName },
    credentials: { ...credentials, sessionToken },
    at: timeOf(searchParams.get("X-Amz-Date") ?? "") ?? new Date(Number.NaN),
    expiresIn: Number(searchParams.get("X-Amz-Expires")),
  });
  const parameters = new URL(expected).searchParams;
  const differs = expectedParameters.find((name) => !equal(parameters.get(name), searchParams.get(name)));
  return differs === undefined ? undefined : `${differs} is not that of a token for cluster ${clusterName}`;
}

function equal(a: string | null, b: string | null): boolean {
  const [left, right] = [Buffer.from(a ?? ""), Buffer.from(b ?? "")];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** `20261121T081540Z` */
export function timeOf(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
