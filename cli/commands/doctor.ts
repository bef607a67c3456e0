import { type Check, type CheckStatus, checkOf } from "../../lib/model/check.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";
import { apiBase, type Caller, fetchApi } from "../api-client.ts";
import { type AwsCalls, createAwsCalls } from "../aws/calls.ts";
import { operatorCredentials } from "../aws/credentials.ts";
import type { Stack } from "../aws/stack.ts";
import { type Command, type Invocation, textOption } from "../command.ts";
import { checked } from "../doctor/checked.ts";
import { clockCheck, nodeCheck } from "../doctor/machine.ts";
import { queueChecks } from "../doctor/queues.ts";
import { stackCheck } from "../doctor/stack.ts";
import { tableChecks } from "../doctor/table.ts";
import { webhookSecretCheck, webhookUrlCheck } from "../doctor/webhook.ts";
import { readRunning } from "../local/running.ts";
import { oneLine } from "../table.ts";

export const doctor: Command = {
  usage: "doctor [--stack driftless-prod]",
  summary: "looks at every link of an installation, and says what to do",
  help: `
  --stack NAME      stack of Driftless on AWS (default DRIFTLESS_STACK, else driftless-prod)
  --region REGION   where that is; default AWS_REGION

Exit status 1 when a link is broken.
`,
  options: { stack: { type: "string" } },
  positionals: { least: 0, most: 0 },
  async run(invocation) {
    const checks = await lookAtAll(invocation);
    return { text: textOf(checks), json: stringifyJson(checks as unknown as JsonValue), status: hasFailed(checks) ? 1 : 0 };
  },
};

function hasFailed(checks: readonly Check[]): boolean {
  return checks.some(({ status }) => status === "fail");
}

async function lookAtAll(invocation: Invocation): Promise<readonly Check[]> {
  const node = nodeCheck(process.versions.node);
  const running = await readRunning(invocation.environment);
  const base = await apiBase(invocation);
  // What is named wins over what runs here.
  const isNamed = invocation.region !== undefined || textOption(invocation, "stack") !== undefined;
  const isHere = running !== undefined && running.api === base;
  if (isHere && !isNamed) return [node, ...(await localChecks(invocation, running))];
  return [node, ...(await deployedChecks(invocation, isHere ? undefined : base))];
}

/** An installation of `npm start`: its parts of AWS are stand-ins, some of which can be asked the same. */
async function localChecks(
  invocation: Invocation,
  { api, queueUrl }: { readonly api: string; readonly queueUrl?: string },
): Promise<readonly Check[]> {
  const absent = ["clock", "stack", "table", "table: backup", "table: expiry", "webhook: secret"].map((name) =>
    checkOf(name).skipped("not applicable here: npm start runs everything on this machine"),
  );
  const webhook = `${new URL(api).origin}/webhook`;
  const queues = queueUrl === undefined ? [checkOf("queue").skipped("not applicable here")] : await localQueue(queueUrl);
  return [...absent, ...queues, await webhookUrlCheck(webhook), ...(await insideChecks(invocation, webhook))];
}

async function localQueue(queueUrl: string): Promise<readonly Check[]> {
  const credentials = async () => ({ accessKeyId: "local", secretAccessKey: "local" });
  const environment = { AWS_ENDPOINT_URL: new URL(queueUrl).origin };
  const aws = createAwsCalls({ region: "us-east-1", environment, credentials, clock });
  try {
    const dead = [{ name: "revisions", url: queueUrl.replace(/\.fifo$/, "-dead.fifo") }];
    return await queueChecks(aws, { queueUrl, dead, now: clock.now() });
  } finally {
    aws.close();
  }
}

async function deployedChecks(invocation: Invocation, base: string | undefined): Promise<readonly Check[]> {
  const region = regionOf(invocation, base);
  if (region === undefined) {
    const advice = "name the region of Driftless with --region or AWS_REGION; or start one here with `npm start`";
    return [checkOf("region").fail("it is not known where Driftless is", advice)];
  }
  const aws = createAwsCalls({ region, environment: invocation.environment, credentials: operatorCredentials(region), clock });
  try {
    return await stackChecks(aws, { invocation, base, region });
  } finally {
    aws.close();
  }
}

function regionOf({ region, environment }: Invocation, base: string | undefined): string | undefined {
  const [, ofApi] = /\.execute-api(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com/.exec(base ?? "") ?? [];
  return (
    region ??
    (environment["DRIFTLESS_API_REGION"] || ofApi || environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || undefined)
  );
}

interface Place {
  readonly invocation: Invocation;
  readonly base: string | undefined;
  readonly region: string;
}

async function stackChecks(aws: AwsCalls, place: Place): Promise<readonly Check[]> {
  const { checks, stack } = await stackCheck(
    aws,
    textOption(place.invocation, "stack") ?? (place.invocation.environment["DRIFTLESS_STACK"] || "driftless-prod"),
  );
  const clockOf = clockCheck(aws.ahead);
  const links = stack === undefined ? [] : await linkChecks(aws, stack);
  const url = stack?.outputs.get("HttpApiUrl");
  const webhook = url === undefined ? "" : `${url}/webhook`;
  const api = place.base ?? (url === undefined ? undefined : `${url}/api`);
  const inside =
    api === undefined
      ? [checkOf("api").skipped("it is not known where it is: name it with --api or DRIFTLESS_API")]
      : await insideChecks({ ...place.invocation, api, region: place.region }, webhook);
  return [clockOf, ...checks, ...links, ...(webhook === "" ? [] : [await webhookUrlCheck(webhook)]), ...inside];
}

async function linkChecks(aws: AwsCalls, { outputs }: Stack): Promise<readonly Check[]> {
  const of = (name: string): string => outputs.get(name) ?? "";
  const dead = [
    { name: "revisions", url: of("DeadRevisionQueueUrl") },
    { name: "syncs", url: of("DeadSyncQueueUrl") },
  ].filter(({ url }) => url !== "");
  const none = Promise.resolve<readonly Check[]>([]);
  const parts = [
    of("RevisionQueueUrl") === "" ? none : queueChecks(aws, { queueUrl: of("RevisionQueueUrl"), dead, now: clock.now() }),
    of("TableName") === "" ? none : tableChecks(aws, of("TableName")),
    of("WebhookSecretArn") === "" ? none : webhookSecretCheck(aws, of("WebhookSecretArn")),
  ];
  return (await Promise.all(parts)).flat();
}

/** What the API itself finds, where clusters and GitHub can be reached. */
async function insideChecks(caller: Caller, webhook: string): Promise<readonly Check[]> {
  const query = webhook === "" ? "" : `?webhook=${encodeURIComponent(webhook)}`;
  return checked("api", {
    needs: "execute-api:Invoke",
    async look(check) {
      const { items } = await fetchApi<{ readonly items: readonly Check[] }>(`/doctor${query}`, caller);
      return [check.ok("it answers"), ...items];
    },
  });
}

const marks: Readonly<Record<CheckStatus, string>> = { ok: "ok  ", warn: "warn", fail: "FAIL", skipped: "-   " };

/** One line a check, and what to do below it. */
function textOf(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, message, advice }) => [
    `${marks[status]}  ${oneLine(name).padEnd(width)}  ${oneLine(message)}`.trimEnd(),
    ...(advice === "" ? [] : [`${" ".repeat(6 + width)}  -> ${oneLine(advice)}`]),
  ]);
  const failed = checks.filter(({ status }) => status === "fail").length;
  const warned = checks.filter(({ status }) => status === "warn").length;
  const end = failed + warned === 0 ? "Every link holds." : `${failed} broken, ${warned} to look at.`;
  return `${lines.join("\n")}\n\n${end}\n`;
}
