import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject, parseJson } from "../model/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Secret } from "../telemetry/secret.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";
import { mayPass, statusFacts } from "./http-status.ts";
import { waitAskedBy } from "./rate-limit.ts";

export interface GithubRequest {
  readonly method: "GET" | "POST";
  /** Below the base URL, with its slash: `/app`. */
  readonly path: string;
  /** The whole value of the Authorization header. */
  readonly authorization: Secret;
  readonly body?: JsonObject;
}

/** `moved` is where something that was renamed or transferred is to be found now: it is never followed. */
export type GithubAnswer =
  | { readonly body: JsonObject; readonly moved?: never }
  | { readonly moved: string; readonly body?: never };

/** GitHub's REST API. */
export interface GithubApi {
  /** Scheme, host and path, without a slash at the end. */
  readonly url: string;
  /** Throws `source` with the status among its facts; with a wait where GitHub asks for one. */
  send(request: GithubRequest, options?: CallOptions): Promise<GithubAnswer>;
}

const accept = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "driftless" };
const longestAnswer = 1024 * 1024;

export interface GithubApiDeps {
  readonly url: string;
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** While GitHub's wait lasts nothing is sent: it bans those who go on asking. */
export function createGithubApi({ url: base, http, clock }: GithubApiDeps): GithubApi {
  const url = base.replace(/\/+$/, "");
  let limit = { status: 0, until: 0 };

  const refuse = async (asked: string, answer: HttpAnswer): Promise<never> => {
    const { status } = answer;
    const waitSeconds = await waitAskedBy(answer, clock.now());
    if (waitSeconds !== undefined) limit = { status, until: clock.now().getTime() + waitSeconds * 1000 };
    throw refusalOf(asked, { status, waitSeconds });
  };
  return {
    url,
    async send({ method, path, authorization, body }, options) {
      const asked = `${method} ${path} at ${url}`;
      const waitSeconds = Math.ceil((limit.until - clock.now().getTime()) / 1000);
      if (waitSeconds > 0) throw refusalOf(asked, { status: limit.status, waitSeconds });
      const request = {
        url: new URL(`${url}${path}`),
        method,
        headers: { ...accept, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        authorization,
        anyStatus: true,
      };
      const read = async (answer: HttpAnswer): Promise<GithubAnswer> => {
        if (answer.location !== undefined) return { moved: answer.location };
        if (answer.status >= 200 && answer.status < 300) return { body: await readBody(asked, answer) };
        return refuse(asked, answer);
      };
      return http.exchange(request, read, options);
    },
  };
}

async function readBody(asked: string, { body }: HttpAnswer): Promise<JsonObject> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > longestAnswer) throw new DriftlessError("source", `the answer to ${asked} is larger than ${longestAnswer} bytes`);
    chunks.push(chunk);
  }
  const answer = jsonOf(asked, Buffer.concat(chunks).toString("utf8"));
  if (isJsonObject(answer)) return answer;
  throw unreadable(asked);
}

function jsonOf(asked: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw unreadable(asked, cause);
  }
}

/** Retryable: a proxy's page, or an answer that was cut off. */
function unreadable(asked: string, cause?: unknown): DriftlessError {
  return new DriftlessError("source", `the answer to ${asked} is no JSON object; is that the base URL of GitHub's API?`, {
    cause,
    retryable: true,
  });
}

function refusalOf(asked: string, answer: { readonly status: number; readonly waitSeconds: number | undefined }): DriftlessError {
  const { status, waitSeconds } = answer;
  const limited = waitSeconds === undefined ? "" : `; the rate limit is reached, it asks to wait ${waitSeconds} s`;
  return new DriftlessError("source", `GitHub answered ${status} to ${asked}${limited}`, {
    retryable: mayPass(answer),
    facts: statusFacts(answer),
  });
}
