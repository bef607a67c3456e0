import { type CredentialProvider, createSignedPost, type PostAnswer, type SignedPost } from "../../lib/aws/signed-post.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from "../../lib/model/json.ts";
import type { Clock } from "../../lib/telemetry/clock.ts";
import { domainOf } from "./partition.ts";

/** Services by their host names, with what their protocol wants to be told. */
const jsonServices = {
  dynamodb: { target: "DynamoDB_20120810", version: "1.0", variable: "DYNAMODB" },
  secretsmanager: { target: "secretsmanager", version: "1.1", variable: "SECRETS_MANAGER" },
  sqs: { target: "AmazonSQS", version: "1.0", variable: "SQS" },
} as const;
const queryServices = {
  cloudformation: { version: "2010-05-15", variable: "CLOUDFORMATION" },
  monitoring: { version: "2010-08-01", variable: "CLOUDWATCH" },
  sts: { version: "2011-06-15", variable: "STS" },
} as const;

type JsonService = keyof typeof jsonServices;
type QueryService = keyof typeof queryServices;

/** The few calls that the command line makes to AWS itself, as whoever types. What AWS refuses throws `config`, its code among the facts as `fault`. */
export interface AwsCalls {
  json(service: JsonService, operation: string, request: JsonObject): Promise<JsonObject>;
  /** Answers with XML: see `valuesOf`. */
  query(service: QueryService, action: string, parameters?: Readonly<Record<string, string>>): Promise<string>;
  /** Milliseconds that AWS' clock is ahead of this machine's, by its last answer; undefined before the first. */
  readonly ahead: number | undefined;
  close(): void;
}

export interface AwsCallsDeps {
  readonly region: string;
  /** Its AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SERVICE say where services are, as for every client of AWS. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
}

export function createAwsCalls({ region, environment, credentials, clock }: AwsCallsDeps): AwsCalls {
  const posts = new Map<string, SignedPost>();
  let ahead: number | undefined;

  const postFor = (service: string, variable: string): SignedPost => {
    const named = environment[`AWS_ENDPOINT_URL_${variable}`] || environment["AWS_ENDPOINT_URL"];
    const endpoint = named || `https://${service}.${region}.${domainOf(region)}`;
    const post = posts.get(service) ?? createSignedPost({ endpoint, region, service, credentials, clock });
    posts.set(service, post);
    return post;
  };
  const send = async (service: string, variable: string, request: Parameters<SignedPost["send"]>[0]): Promise<PostAnswer> => {
    try {
      const answer = await postFor(service, variable).send(request);
      const date = Date.parse(answer.headers.date ?? "");
      if (!Number.isNaN(date)) ahead = date - clock.now().getTime();
      return answer;
    } catch (cause) {
      if (cause instanceof DriftlessError) throw cause;
      const text = `${service} in ${region} did not answer: ${messageOf(cause)}`;
      throw new DriftlessError("config", text, { cause, facts: { fault: "no-answer" } });
    }
  };
  return {
    async json(service, operation, request) {
      const { target, version, variable } = jsonServices[service];
      const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": `${target}.${operation}` };
      const answer = await send(service, variable, { headers, body: stringifyJson(request) });
      const body = jsonOf(answer.body);
      if (answer.status === 200) return body;
      const fault = textOf(body["__type"]).replace(/^.*#/, "") || String(answer.status);
      throw refused(`${service} ${operation}`, fault, textOf(body["message"]) || textOf(body["Message"]));
    },
    async query(service, action, parameters = {}) {
      const { version, variable } = queryServices[service];
      const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
      const answer = await send(service, variable, { headers, body });
      const xml = answer.body.toString("utf8");
      if (answer.status === 200) return xml;
      throw refused(`${service} ${action}`, valuesOf(xml, "Code")[0] ?? String(answer.status), valuesOf(xml, "Message")[0] ?? "");
    },
    get ahead() {
      return ahead;
    },
    close() {
      for (const post of posts.values()) post.close();
    },
  };
}

/** The texts of all elements of this name that hold text alone, in order. */
export function valuesOf(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) => unescaped(text));
}

/** The insides of all elements of this name; of nested ones the outer is cut at the end of the first. */
export function elementsOf(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map(([, inner = ""]) => inner);
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal: string, hex: string, name: string) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10));
  });
}

function refused(asked: string, fault: string, message: string): DriftlessError {
  return new DriftlessError("config", `${asked}: ${fault}${message === "" ? "" : `: ${message}`}`, { facts: { fault } });
}

function jsonOf(body: Buffer): JsonObject {
  try {
    const value: JsonValue = parseJson(body.toString("utf8"));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** A text of an answer; "" for anything else. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
