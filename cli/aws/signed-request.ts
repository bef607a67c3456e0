import type { CredentialProvider } from "../../lib/aws/signed-post.ts";
import { signRequest } from "../../lib/aws/sigv4.ts";
import type { Clock } from "../../lib/telemetry/clock.ts";
import { whatToDo } from "./credentials.ts";
import { partitionOf } from "./partition.ts";

/** An API behind IAM authorization. */
export interface GuardedApi {
  readonly region: string;
}

/** Reads host names such as `a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com`. */
const ownHost = /^[a-z0-9]+\.execute-api(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** Whether requests to this API are signed, and for which region: its host name says so, or else `region`, for a name of one's own. */
export function guardedApi(url: URL, region: string | undefined): GuardedApi | undefined {
  const [, own] = ownHost.exec(url.hostname) ?? [];
  const signed = own ?? (region === undefined || region === "" ? undefined : region);
  return signed === undefined ? undefined : { region: signed };
}

export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  /** Lower case; they are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers to send, signature included. */
export async function signedHeaders(
  { url, method, headers, body }: Outgoing,
  { region, credentials, clock }: GuardedApi & { readonly credentials: CredentialProvider; readonly clock: Clock },
): Promise<Record<string, string>> {
  const signed = signRequest({
    method,
    path: url.pathname,
    query: [...url.searchParams],
    headers,
    body,
    host: url.host,
    region,
    service: "execute-api",
    credentials: await credentials(),
    at: clock.now(),
  });
  return { ...signed.headers, authorization: signed.authorization.reveal() };
}

/** Of an answer 403 that API Gateway itself gave. */
export interface Refused {
  readonly url: URL;
  readonly method: string;
  /** Undefined for a request that was not signed. */
  readonly api: GuardedApi | undefined;
  /** Its own words; "" for none. */
  readonly message: string;
  /** Header `date`; "" for none. */
  readonly date: string;
  readonly now: Date;
}

/** AWS takes a signature that is at most so old, or so far ahead. */
export const allowedSkewMs = 5 * 60_000;

/** What is wrong and what to do, in one sentence. */
export function explainRefusal({ url, method, api, message, date, now }: Refused): string {
  if (api === undefined)
    return `${url.host} refuses requests that are not signed: where it is an API on AWS under a name of its own, name its region with --region or DRIFTLESS_API_REGION`;
  const skew = Date.parse(date) - now.getTime();
  if (Math.abs(skew) > allowedSkewMs)
    return `AWS refuses the signature, since this machine's clock is ${Math.round(Math.abs(skew) / 60_000)} minutes ${skew > 0 ? "behind" : "ahead"}: set it right`;
  if (/expired/i.test(message)) return `the AWS credentials expired; ${whatToDo}`;
  if (/security token.*invalid|signature/i.test(message)) return `AWS does not know these credentials: ${message}; ${whatToDo}`;
  const id = url.hostname.split(".")[0] ?? "";
  const resource = `arn:${partitionOf(api.region)}:execute-api:${api.region}:ACCOUNT:${ownHost.test(url.hostname) ? id : "API"}/*/${method}${url.pathname}`;
  return `AWS does not let these credentials ${method} ${url.pathname}: their policy needs execute-api:Invoke on ${resource} (infra/README.md says which paths are for whom), and they must be of the API's own account (\`aws sts get-caller-identity\` says whose they are)`;
}
