import { createHash, createHmac } from "node:crypto";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface PresignRequest {
  readonly host: string;
  readonly region: string;
  /** Signing name: `sts`. */
  readonly service: string;
  readonly query: { readonly [name: string]: string };
  /** Headers that the one who redeems the URL must send; lower case. */
  readonly headers: { readonly [name: string]: string };
  readonly credentials: AwsCredentials;
  readonly at: Date;
  /** Seconds. */
  readonly expiresIn: number;
}

/**
 * Signs a GET of `/` into its URL (AWS Signature Version 4, query form), without asking anyone.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function presign({ host, region, service, query, headers, credentials, at, expiresIn }: PresignRequest): string {
  const time = at.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signed = Object.entries({ ...headers, host }).sort(byName);
  const parameters: Record<string, string> = {
    ...query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(expiresIn),
    "X-Amz-SignedHeaders": signed.map(([name]) => name).join(";"),
    ...(credentials.sessionToken === undefined ? {} : { "X-Amz-Security-Token": credentials.sessionToken }),
  };
  const canonicalQuery = Object.entries(parameters)
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const canonicalHeaders = signed.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}\n`).join("");
  const canonicalRequest = ["GET", "/", canonicalQuery, canonicalHeaders, parameters["X-Amz-SignedHeaders"], sha256("")].join(
    "\n",
  );
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonicalRequest)].join("\n");
  const key = [time.slice(0, 8), region, service, "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  return `https://${host}/?${canonicalQuery}&X-Amz-Signature=${hmac(key, toSign).toString("hex")}`;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** RFC 3986, stricter than `encodeURIComponent` by five characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
