import { readSecretText, type SecretPlace } from "../../aws/secrets-manager.ts";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { isJsonObject, type JsonValue, parseJson } from "../../model/json.ts";
import { Secret } from "../../telemetry/secret.ts";

export interface ChartCredentials {
  readonly username: string;
  readonly password: Secret;
}

/** What to show to a host (`HOST` or `HOST:PORT`), and to it alone; undefined reads it anonymously. */
export type FindCredentials = (host: string, options?: CallOptions) => Promise<ChartCredentials | undefined>;

/** Reads `{"HOST": {"username": "...", "password": "..."}}`. Throws `config`, without a word of the text. */
export function chartCredentials(text: Secret): FindCredentials {
  const known = new Map(Object.entries(parsed(text)).map(([host, entry]) => [host.toLowerCase(), entryOf(host, entry)]));
  return async (host) => known.get(host.toLowerCase());
}

/** The same from a secret of Secrets Manager, read when a chart is first fetched; a failure is not kept. */
export function createSecretChartCredentials(place: SecretPlace): FindCredentials {
  let known: Promise<FindCredentials> | undefined;
  return async (host, options) => {
    // Shared by everyone who asks meanwhile, so no caller's signal ends it.
    known ??= readSecret(place).then(chartCredentials);
    known.catch(() => {
      known = undefined;
    });
    return (await known)(host, options);
  };
}

async function readSecret(place: SecretPlace): Promise<Secret> {
  const text = await readSecretText(place).catch((cause: unknown) => {
    const message = `the credentials of chart repositories ${place.secretId} could not be read from Secrets Manager`;
    throw new DriftlessError("config", message, { cause, retryable: true, facts: { secretId: place.secretId } });
  });
  return new Secret(text);
}

/** The value of an Authorization header. */
export function basicAuthorization({ username, password }: ChartCredentials): Secret {
  return new Secret(`Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`);
}

function parsed(text: Secret): { readonly [host: string]: JsonValue | undefined } {
  let value: JsonValue;
  try {
    value = parseJson(text.reveal());
  } catch {
    throw wrong("they are not JSON"); // the parser's own words quote the text
  }
  if (!isJsonObject(value)) throw wrong("they are not a JSON object");
  return value;
}

function entryOf(host: string, entry: JsonValue | undefined): ChartCredentials {
  if (!/^[A-Za-z0-9.[\]:-]+$/.test(host)) throw wrong("a key is no host: write HOST or HOST:PORT, without https:// and path");
  const { username, password } = isJsonObject(entry) ? entry : {};
  if (typeof username !== "string" || typeof password !== "string" || username.includes(":"))
    throw wrong(`${host} needs "username", without a colon, and "password", both as text`);
  return { username, password: new Secret(password) };
}

function wrong(reason: string): DriftlessError {
  const shape = '{"HOST": {"username": "...", "password": "..."}}';
  return new DriftlessError("config", `the credentials of chart repositories: ${reason}; their form is ${shape}`);
}
