import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import { Secret } from "../telemetry/secret.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What both forms of a signature are made of: AWS Signature Version 4. */
interface Signing {
  readonly host: string;
  readonly region: string;
  /** Signing name: `sts`. */
  readonly service: string;
  /** Headers that are signed; lower case. */
  readonly headers: { readonly [name: string]: string };
  readonly credentials: AwsCredentials;
  readonly at: Date;
}

export interface PresignRequest extends Signing {
  readonly query: { readonly [name: string]: string };
  /** Seconds. */
  readonly expiresIn: number;
}

export interface SignPostRequest extends Signing {
  readonly body: string;
}

export interface SignRequest extends Signing {
  readonly method: string;
  /** As it stands in the request line, encoded: `/api/applications/shop`. */
  readonly path: string;
  /** Names and values, not encoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** "" for none. */
  readonly body: string;
}

/** What a signed request carries beside its own headers. */
export interface SignedHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization: Secret;
}

/**
 * Signs a GET of `/` into its URL (query form), without asking anyone; who redeems the URL must send the headers.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function presign({ query, expiresIn, ...signing }: PresignRequest): string {
  const { host, headers, credentials } = signing;
  const { time, scope } = scopeOf(signing);
  const parameters: Record<string, string> = {
    ...query,
    "X-Amz-Algorithm": algorithm,
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(expiresIn),
    "X-Amz-SignedHeaders": namesOf(signedHeaders({ ...headers, host })),
    ...(credentials.sessionToken === undefined ? {} : { "X-Amz-Security-Token": credentials.sessionToken }),
  };
  const canonicalQuery = queryOf(Object.entries(parameters));
  const signature = signatureOf(signing, { method: "GET", path: "/", query: canonicalQuery, headers, body: "" });
  return `https://${host}/?${canonicalQuery}&X-Amz-Signature=${signature}`;
}

/** Signs a POST to `/` (header form): the headers to send, and the value of Authorization. */
export function signPost(request: SignPostRequest): SignedHeaders {
  return signRequest({ ...request, method: "POST", path: "/", query: [] });
}

/** Signs any request (header form): the headers to send, and the value of Authorization. */
export function signRequest({ method, path, query, body, ...signing }: SignRequest): SignedHeaders {
  const { accessKeyId, sessionToken } = signing.credentials;
  const { time, scope } = scopeOf(signing);
  const headers = {
    ...signing.headers,
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const names = namesOf(signedHeaders({ ...headers, host: signing.host }));
  // Every service but S3 encodes the path once more than the request line has it.
  const canonicalPath = path.split("/").map(encode).join("/");
  const signature = signatureOf(signing, { method, path: canonicalPath, query: queryOf(query), headers, body });
  const value = `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { headers, authorization: new Secret(value) };
}

const algorithm = "AWS4-HMAC-SHA256";

interface Canonical {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Signing["headers"];
  readonly body: string;
}

function signatureOf(signing: Signing, { method, path, query, headers, body }: Canonical): string {
  const { time, scope } = scopeOf(signing);
  const signed = signedHeaders({ ...headers, host: signing.host });
  const lines = signed.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}\n`).join("");
  const request = [method, path, query, lines, namesOf(signed), sha256(body)].join("\n");
  return hmac(signingKey(signing, scope), [algorithm, time, scope, sha256(request)].join("\n")).toString("hex");
}

/** The newest key of each service, since deriving one costs four times what a signature does. */
const keys = new Map<string, { readonly scope: string; readonly secret: string; readonly key: KeyObject }>();

/** A key holds for one secret, day, region and service. */
function signingKey({ service, region, credentials: { secretAccessKey: secret } }: Signing, scope: string): KeyObject {
  const place = `${service} ${region}`;
  const known = keys.get(place);
  if (known?.scope === scope && known.secret === secret) return known.key;
  // A key object is taken as it is, where bytes are made into one each time.
  const key = createSecretKey(scope.split("/").reduce<Uint8Array>(hmac, Buffer.from(`AWS4${secret}`)));
  keys.set(place, { scope, secret, key });
  return key;
}

function scopeOf({ at, region, service }: Signing): { readonly time: string; readonly scope: string } {
  const time = at.toISOString().replace(/[:-]|\.\d{3}/g, "");
  return { time, scope: `${time.slice(0, 8)}/${region}/${service}/aws4_request` };
}

/** Encoded, by name and then by value. */
function queryOf(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, left], [b, right]) => (a < b || (a === b && left < right) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

type Headers = readonly (readonly [string, string])[];

function signedHeaders(headers: Signing["headers"]): Headers {
  return Object.entries(headers).sort(byName);
}

function namesOf(headers: Headers): string {
  return headers.map(([name]) => name).join(";");
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function hmac(key: Uint8Array | KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(text: string): string {
  return hash("sha256", text);
}

/** RFC 3986, stricter than `encodeURIComponent` by five characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
