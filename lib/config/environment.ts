import { DriftlessError } from "../errors.ts";
import type { LogLevel } from "../telemetry/log.ts";
import { parseDuration } from "./duration.ts";

/** What `process.env` gives; only functions/ and cli/ read it, and pass it in. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/**
 * What the functions are told by their environment. Each function needs only some of it, so a value is
 * checked when it is read: a missing or bad one throws `config`, naming the variable and what it is for.
 */
export interface Environment {
  /** Name of the DynamoDB table. */
  readonly table: string;
  /** Origin of DynamoDB. Default: the region's own. */
  readonly tableEndpoint: string;
  /** URL of the FIFO queue of moved branches. */
  readonly queueUrl: string;
  /** Secrets Manager id: `{"current": "...", "previous": "..."}`, or one secret as plain text. */
  readonly webhookSecretId: string;
  /** Secrets Manager id: 32 bytes in base64. */
  readonly snapshotKeyId: string;
  /** Secrets Manager id: `{"appId", "privateKey"}` of a GitHub App, or `{"token"}`. Undefined: Git is read anonymously. */
  readonly githubSecretId: string | undefined;
  /** Base URL of GitHub's API. Default "https://api.github.com". */
  readonly githubApiUrl: string;
  /** Secrets Manager id: `{"HOST": {"username", "password"}}` of chart repositories. Undefined: charts are fetched anonymously. */
  readonly chartsSecretId: string | undefined;
  /** Secrets Manager id: an age key file, for files encrypted with SOPS. Undefined: only KMS opens these. */
  readonly sopsAgeSecretId: string | undefined;
  /** Clone URL, or path, of the repository that holds `driftless.yaml`. */
  readonly configRepository: string;
  /** Default "main". */
  readonly configBranch: string;
  /** File inside that repository. Default "driftless.yaml". */
  readonly configPath: string;
  /** Absolute path of the render helper's binary. */
  readonly renderHelper: string;
  /** Name or ARN of the durable sync function, with version or alias. */
  readonly syncFunction: string;
  /** Name or ARN of the function that the sweep hands clusters to; may be the sweep itself. */
  readonly sweepFunction: string;
  /** False: every cluster is handed to that function, also a single one, and this one opens none. Default true. */
  readonly sweepInPlace: boolean;
  /** False: plans take what clusters can do from what sweeps have kept. Default true. */
  readonly planAsksClusters: boolean;
  /** Name or ARN of the preview function. */
  readonly previewFunction: string;
  /** Who Driftless is to the API servers, for reading their audit logs: ARNs of its roles, or user names. Default none. */
  readonly identities: readonly string[];
  /** ARN of the IAM role that syncs run as, which prevention lets through. Undefined: syncs come as the sweep does. */
  readonly syncRole: string | undefined;
  /** Undefined: only EKS clusters can be opened. */
  readonly kubeconfig: string | undefined;
  readonly region: string;
  /** Default "info". */
  readonly logLevel: LogLevel;
  /** Name of the event bus. Default "default". */
  readonly eventBus: string;
  /** Origin of EventBridge. Default: the region's own. */
  readonly eventsEndpoint: string;
  /** Origin of STS for clusters in a region. Default: that region's own. */
  readonly stsEndpoint: (region: string) => string;
  /** Seconds between sweeps, as the schedule has them. Default 300. */
  readonly sweepInterval: number;
}

interface Variable {
  readonly name: string;
  readonly purpose: string;
  readonly fallback?: string;
  readonly shape?: { readonly pattern: RegExp; readonly says: string };
}

const variables = {
  table: {
    name: "DRIFTLESS_TABLE",
    purpose: "the name of the DynamoDB table",
    shape: {
      pattern: /^[A-Za-z0-9_.:/-]{3,1024}$/,
      says: "a table name of 3 characters or more from A-Z a-z 0-9 _ . -, or an ARN",
    },
  },
  queueUrl: {
    name: "DRIFTLESS_QUEUE_URL",
    purpose: "the URL of the FIFO queue of moved branches",
    shape: { pattern: /^https?:\/\/\S+\.fifo$/, says: "an http(s) URL that ends in .fifo" },
  },
  webhookSecretId: { name: "DRIFTLESS_WEBHOOK_SECRET_ID", purpose: "the Secrets Manager id of the webhook secrets" },
  snapshotKeyId: { name: "DRIFTLESS_SNAPSHOT_KEY_ID", purpose: "the Secrets Manager id of the key that seals snapshots" },
  githubApiUrl: {
    name: "DRIFTLESS_GITHUB_API_URL",
    purpose: "the base URL of GitHub's API",
    fallback: "https://api.github.com",
    shape: {
      pattern: /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?)(?:\/[^\s?#]*)?$/,
      says: "an https URL without user, ? or #; plain http is for this machine only",
    },
  },
  configRepository: {
    name: "DRIFTLESS_CONFIG_REPOSITORY",
    purpose: "the clone URL or path of the repository that holds driftless.yaml",
  },
  configBranch: { name: "DRIFTLESS_CONFIG_BRANCH", purpose: "the branch that driftless.yaml is read from", fallback: "main" },
  configPath: {
    name: "DRIFTLESS_CONFIG_PATH",
    purpose: "the path of driftless.yaml in its repository",
    fallback: "driftless.yaml",
    shape: {
      pattern: /^(?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\\]*[^\\/]$/,
      says: "a file inside the repository: no leading slash, no . or .. parts",
    },
  },
  renderHelper: {
    name: "DRIFTLESS_RENDER_HELPER",
    purpose: "the path of the render helper's binary",
    shape: { pattern: /^\//, says: "an absolute path" },
  },
  syncFunction: { name: "DRIFTLESS_SYNC_FUNCTION", purpose: "the name or ARN of the sync function" },
  sweepFunction: { name: "DRIFTLESS_SWEEP_FUNCTION", purpose: "the name or ARN of the sweep function" },
  sweepInPlace: {
    name: "DRIFTLESS_SWEEP_IN_PLACE",
    purpose: "whether the sweep may open clusters itself",
    fallback: "true",
    shape: { pattern: /^(?:true|false)$/, says: "true or false" },
  },
  planAsksClusters: {
    name: "DRIFTLESS_PLAN_ASKS_CLUSTERS",
    purpose: "whether plans may open clusters",
    fallback: "true",
    shape: { pattern: /^(?:true|false)$/, says: "true or false" },
  },
  previewFunction: { name: "DRIFTLESS_PREVIEW_FUNCTION", purpose: "the name or ARN of the preview function" },
  region: { name: "AWS_REGION", purpose: "the AWS region" },
  logLevel: {
    name: "DRIFTLESS_LOG_LEVEL",
    purpose: "the least level that is logged",
    fallback: "info",
    shape: { pattern: /^(?:debug|info|warn|error)$/, says: "debug, info, warn or error" },
  },
  eventBus: {
    name: "DRIFTLESS_EVENT_BUS",
    purpose: "the name of the event bus",
    fallback: "default",
    shape: { pattern: /^[A-Za-z0-9._/-]{1,256}$/, says: "a name of at most 256 characters from A-Z a-z 0-9 . _ - /" },
  },
  sweepInterval: {
    name: "DRIFTLESS_SWEEP_INTERVAL",
    purpose: "the time between sweeps",
    fallback: "5m",
    shape: { pattern: /^[1-9]\d{0,4}[smh]$/, says: "a whole number of s, m or h, such as 5m" },
  },
} as const satisfies Record<string, Variable>;

/** Wraps the environment; nothing is checked before it is read. An empty variable counts as not set. */
export function parseEnvironment(env: EnvironmentVariables): Environment {
  const read = (variable: Variable): string => readVariable(env, variable);
  return {
    get table() {
      return read(variables.table);
    },
    get tableEndpoint() {
      return tableEndpoint(env, read(variables.region));
    },
    get queueUrl() {
      return read(variables.queueUrl);
    },
    get webhookSecretId() {
      return read(variables.webhookSecretId);
    },
    get snapshotKeyId() {
      return read(variables.snapshotKeyId);
    },
    get githubSecretId() {
      return env["DRIFTLESS_GITHUB_SECRET_ID"] === "" ? undefined : env["DRIFTLESS_GITHUB_SECRET_ID"];
    },
    get githubApiUrl() {
      return read(variables.githubApiUrl);
    },
    get chartsSecretId() {
      return env["DRIFTLESS_CHARTS_SECRET_ID"] === "" ? undefined : env["DRIFTLESS_CHARTS_SECRET_ID"];
    },
    get sopsAgeSecretId() {
      return env["DRIFTLESS_SOPS_AGE_SECRET_ID"] === "" ? undefined : env["DRIFTLESS_SOPS_AGE_SECRET_ID"];
    },
    get configRepository() {
      return read(variables.configRepository);
    },
    get configBranch() {
      return read(variables.configBranch);
    },
    get configPath() {
      return read(variables.configPath);
    },
    get renderHelper() {
      return read(variables.renderHelper);
    },
    get syncFunction() {
      return read(variables.syncFunction);
    },
    get sweepFunction() {
      return read(variables.sweepFunction);
    },
    get sweepInPlace() {
      return read(variables.sweepInPlace) === "true";
    },
    get planAsksClusters() {
      return read(variables.planAsksClusters) === "true";
    },
    get previewFunction() {
      return read(variables.previewFunction);
    },
    get identities() {
      return (env["DRIFTLESS_IDENTITIES"] ?? "").split(",").flatMap((text) => (text.trim() === "" ? [] : [text.trim()]));
    },
    get syncRole() {
      return env["DRIFTLESS_SYNC_ROLE"] === "" ? undefined : env["DRIFTLESS_SYNC_ROLE"];
    },
    get kubeconfig() {
      return env["KUBECONFIG"] === "" ? undefined : env["KUBECONFIG"];
    },
    get region() {
      return read(variables.region);
    },
    get logLevel() {
      return read(variables.logLevel) as LogLevel;
    },
    get eventBus() {
      return read(variables.eventBus);
    },
    get eventsEndpoint() {
      return eventsEndpoint(env, read(variables.region));
    },
    stsEndpoint: (region) => stsEndpoint(env, region),
    get sweepInterval() {
      return parseDuration(read(variables.sweepInterval)) as number;
    },
  };
}

function tableEndpoint(env: EnvironmentVariables, region: string): string {
  const service = { host: "dynamodb", title: "DynamoDB", variable: "AWS_ENDPOINT_URL_DYNAMODB" };
  return serviceEndpoint(env, { ...service, region });
}

function eventsEndpoint(env: EnvironmentVariables, region: string): string {
  const service = { host: "events", title: "EventBridge", variable: "AWS_ENDPOINT_URL_EVENTBRIDGE" };
  return serviceEndpoint(env, { ...service, region });
}

function stsEndpoint(env: EnvironmentVariables, region: string): string {
  return serviceEndpoint(env, { host: "sts", title: "STS", variable: "AWS_ENDPOINT_URL_STS", region });
}

/** What names it for the clients of AWS names it here: they are told by their own variables. */
function serviceEndpoint(
  env: EnvironmentVariables,
  { host, title, variable, region }: Readonly<Record<"host" | "title" | "variable" | "region", string>>,
): string {
  const fips = env["AWS_USE_FIPS_ENDPOINT"] === "true" ? "-fips" : "";
  const own = `https://${host}${fips}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const [name = ""] = [variable, "AWS_ENDPOINT_URL"].filter((each) => (env[each] ?? "") !== "");
  const shape = { pattern: /^https?:\/\/[^\s/?#@]+\/?$/, says: "an http(s) URL without user, path, ? or #" };
  return readVariable(env, { name, purpose: `where ${title} is`, fallback: own, shape });
}

function readVariable(env: EnvironmentVariables, { name, purpose, fallback, shape }: Variable): string {
  const given = env[name];
  const value = given === undefined || given === "" ? fallback : given;
  if (value === undefined)
    throw new DriftlessError("config", `${name} is not set: set it to ${purpose}`, { facts: { variable: name } });
  if (shape !== undefined && !shape.pattern.test(value)) {
    throw new DriftlessError("config", `${name} (${purpose}) must be ${shape.says}`, { facts: { variable: name } });
  }
  return value;
}
