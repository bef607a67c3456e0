import type { CallOptions } from "../../model/call.ts";
import { isJsonObject } from "../../model/json.ts";
import { Secret } from "../../telemetry/secret.ts";
import { type Access, answerError } from "./answer-error.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { basicAuthorization, type FindCredentials } from "./credentials.ts";
import { jsonIn } from "./json-in.ts";
import { type ChartVersion, chartError, type OciPlace } from "./place.ts";
import { refusedTarget, shown, type Web } from "./web.ts";

export interface RegistryAccessDeps {
  readonly web: Web;
  readonly credentials: FindCredentials;
  readonly chart: ChartVersion;
  readonly place: OciPlace;
}

export interface Granted extends Access {
  /** Undefined when there is no way in. */
  readonly authorization: Secret | undefined;
}

const maxTokenBytes = 256 * 1024;

/** Answers a registry's WWW-Authenticate header: a token for this one repository, or credentials as they are. */
export async function requestAccess(deps: RegistryAccessDeps, header: string, options: CallOptions): Promise<Granted> {
  const challenges = parseChallenges(header);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) return requestToken(deps, bearer, options);
  const { host } = deps.place.registry;
  const basic = challenges.some(({ scheme }) => scheme === "basic");
  const known = basic ? await deps.credentials(host, options) : undefined;
  return { host, authorized: known !== undefined, authorization: known && basicAuthorization(known) };
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
async function requestToken(deps: RegistryAccessDeps, { parameters }: Challenge, options: CallOptions): Promise<Granted> {
  const { web, credentials, chart, place } = deps;
  const url = tokenUrl(deps, parameters.get("realm") ?? "");
  url.searchParams.set("scope", parameters.get("scope") ?? `repository:${place.repository}:pull`);
  const service = parameters.get("service");
  if (service !== undefined) url.searchParams.set("service", service);
  // By the token service's own name: a registry must not be able to send its credentials elsewhere.
  const { host } = url;
  const known = await credentials(host, options);
  const authorized = known !== undefined;
  const answer = await web.get(
    {
      url,
      home: place.registry,
      limit: maxTokenBytes,
      authorization: known && basicAuthorization(known),
      redirects: false,
      trusted: authorized,
    },
    options,
  );
  if (answer.status !== 200) throw answerError(answer, { authorized, host });
  return { host, authorized, authorization: new Secret(`Bearer ${tokenIn(chart, url, answer.body)}`) };
}

function tokenUrl({ chart, place }: RegistryAccessDeps, realm: string): URL {
  const where = place.registry.host;
  if (!URL.canParse(realm)) throw chartError(chart, `${where} wants a token and does not say from where`);
  const url = new URL(realm);
  const refused = refusedTarget({ url, home: place.registry });
  if (refused !== undefined) throw chartError(chart, `${where} sends for its token ${refused}`);
  return url;
}

function tokenIn(chart: ChartVersion, url: URL, body: Uint8Array): string {
  const answer = jsonIn(body);
  const { token, access_token: accessToken } = isJsonObject(answer) ? answer : {};
  const found = token ?? accessToken;
  if (typeof found === "string" && /^[\x21-\x7e]+$/.test(found)) return found;
  throw chartError(chart, `${shown(url)} gave no token; check the repository's URL`);
}
