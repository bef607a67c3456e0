import { type AwsCredentials, signPost } from "../../aws/sigv4.ts";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { isJsonObject, type JsonValue } from "../../model/json.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { Secret } from "../../telemetry/secret.ts";
import type { HttpAnswer, HttpClient } from "../http.ts";
import type { ChartCredentials, FindCredentials } from "./credentials.ts";
import { jsonIn } from "./json-in.ts";

export interface EcrDeps {
  /** Those of AWS, as its clients find them (`client.config.credentials`); they need `ecr:GetAuthorizationToken`. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Default: the region's own. */
  readonly endpoint?: URL;
}

interface Token extends ChartCredentials {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const registryHost = /^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)$/;
const maxAnswerBytes = 64 * 1024;
/** A token lasts 12 hours; one that is about to end is not used any more. */
const leastLeftMs = 5 * 60_000;

/** Signs in to registries of Amazon ECR with this function's own rights; undefined for every other host. */
export function ecrCredentials(deps: EcrDeps): FindCredentials {
  const tokens = new Map<string, Token>();
  return async (host, options = {}) => {
    const [, region, domain] = registryHost.exec(host) ?? [];
    if (region === undefined || domain === undefined) return undefined;
    const held = tokens.get(region);
    if (held !== undefined && held.expiresAt - deps.clock.now().getTime() > leastLeftMs) return held;
    const endpoint = deps.endpoint ?? new URL(`https://api.ecr.${region}.${domain}/`);
    const token = await requestToken(deps, { region, endpoint }, options);
    tokens.set(region, token);
    return token;
  };
}

async function requestToken(
  { credentials, http, clock }: EcrDeps,
  { region, endpoint }: { readonly region: string; readonly endpoint: URL },
  options: CallOptions,
): Promise<Token> {
  const body = "{}";
  const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
  const unsigned = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
  const signing = { region, host: endpoint.host, service: "ecr", headers: unsigned, at: clock.now() };
  const { headers, authorization } = signPost({ ...signing, body, credentials: await credentials() });
  const read = async (answer: HttpAnswer): Promise<Token> => {
    if (answer.status === 200) return tokenIn(jsonIn(await readSmall(answer.body)), region);
    const retryable = answer.status >= 500 || answer.status === 429;
    throw new DriftlessError(
      "source",
      `Amazon ECR in ${region} answered ${answer.status}: check that this function may call ecr:GetAuthorizationToken`,
      { retryable, facts: { region, status: answer.status } },
    );
  };
  return http.exchange({ url: endpoint, method: "POST", headers, body, authorization, anyStatus: true }, read, options);
}

function tokenIn(answer: JsonValue | undefined, region: string): Token {
  const list = isJsonObject(answer) ? answer["authorizationData"] : undefined;
  const [first] = Array.isArray(list) ? (list as readonly JsonValue[]) : [];
  const { authorizationToken: token, expiresAt } = isJsonObject(first) ? first : {};
  const [, username, password] =
    typeof token === "string" ? (/^([^:]+):(.+)$/s.exec(Buffer.from(token, "base64").toString("utf8")) ?? []) : [];
  if (username === undefined || password === undefined || typeof expiresAt !== "number")
    throw new DriftlessError("source", `Amazon ECR in ${region} gave no token`, { retryable: true, facts: { region } });
  return { username, password: new Secret(password), expiresAt: expiresAt * 1000 };
}

async function readSmall(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxAnswerBytes) throw new DriftlessError("source", "Amazon ECR answered with more than a token");
  }
  return Buffer.concat(chunks);
}
