import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startSecrets } from "../../cli/local/secrets.ts";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import { packagedService } from "./artefacts.ts";
import { functionsOf } from "./template.ts";

const names = ["webhook", "plan", "sync", "sweep", "shard", "audit", "preview", "api"] as const;
/** Bytes of the minified bundle. */
const limits = {
  webhook: 600_000,
  plan: 1_000_000,
  sync: 1_000_000,
  sweep: 1_000_000,
  shard: 1_000_000,
  audit: 1_000_000,
  preview: 1_000_000,
  api: 600_000,
};

interface Loaded {
  readonly exports?: readonly string[];
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
  readonly answer?: { readonly statusCode: number; readonly body: string };
  readonly read: readonly string[];
}

const run = promisify(execFile);
const loader = path.join(import.meta.dirname, "load-bundle.ts");

/** Loads the unpacked bundle of a function in a process of its own, far from this repository's node_modules. */
async function load(name: string, { env, event }: { env: Readonly<Record<string, string>>; event?: object }): Promise<Loaded> {
  const { unpacked } = await packagedService();
  const folder = path.join(unpacked, name);
  const args = [loader, path.join(folder, "functions", `${name}.mjs`), ...(event === undefined ? [] : [JSON.stringify(event)])];
  const { stdout } = await run(process.execPath, args, { cwd: folder, env: { NODE_NO_WARNINGS: "1", ...env }, timeout: 60_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Loaded;
}

interface Endpoints {
  readonly secrets: string;
  readonly table: string;
}

const secret = "It's a Secret to Everybody";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/** The environment of the function as deployed, with something for each reference to another resource. */
async function environmentOf(name: string, endpoints: Endpoints): Promise<Record<string, string>> {
  const declared = functionsOf((await packagedService()).template).get(name)?.Environment.Variables ?? {};
  const values: Readonly<Record<string, string>> = {
    Table: "driftless",
    RevisionQueue: "https://sqs.example/1/revisions.fifo",
    WebhookSecret: "webhook",
    SnapshotKey: "snapshot-key",
    SyncDurableLambdaAlias: "arn:aws:lambda:us-east-1:000000000000:function:driftless-prod-sync:durable",
    PreviewLambdaFunction: "driftless-prod-preview",
    ShardLambdaFunction: "driftless-prod-shard",
  };
  const told = Object.entries(declared).map(([variable, value]) => {
    const text =
      typeof value === "string"
        ? value
        : (valueIf(value) ?? joined(value) ?? arnOf(value) ?? values[(value as { readonly Ref: string }).Ref]);
    assert.ok(text !== undefined, variable);
    return [variable, text] as const;
  });
  return {
    ...Object.fromEntries(told),
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secrets,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.table,
  };
}

/** A list of ARNs; undefined for what is no list. */
function joined(value: unknown): string | undefined {
  const [separator, parts] = (value as { readonly "Fn::Join"?: readonly [string, readonly unknown[]] })["Fn::Join"] ?? [];
  return parts?.map(arnOf).join(separator);
}

/** The ARN of a role by the name of what has it; undefined for what is none. */
function arnOf(value: unknown): string | undefined {
  const [name] = (value as { readonly "Fn::GetAtt"?: readonly string[] })["Fn::GetAtt"] ?? [];
  return name === undefined ? undefined : `arn:aws:iam::000000000000:role/${name}`;
}

/** What a value is when its condition holds; undefined for one without condition. */
function valueIf(value: unknown): string | undefined {
  return (value as { readonly "Fn::If"?: readonly [string, string, unknown] })["Fn::If"]?.[1];
}

/** The services that a function calls when it starts, and for a ping. */
async function withServices(work: (endpoints: Endpoints) => Promise<void>): Promise<void> {
  const key = Buffer.alloc(32, 7).toString("base64");
  const secrets = await startSecrets({ secrets: { "snapshot-key": key, webhook: secret } });
  const table = await startTable();
  const client = openTable(table.endpoint);
  try {
    await createTable({ client, table: "driftless" });
    await work({ secrets: secrets.endpoint, table: table.endpoint });
  } finally {
    client.close();
    await table.close();
    await secrets.close();
  }
}

test("a zip holds the bundle of its function, its source map, and for plan and preview the render helper, executable", async () => {
  const { zips } = await packagedService();
  assert.deepEqual([...zips.keys()], [...names].sort());
  for (const [name, files] of zips) {
    const helper = name === "plan" || name === "preview" ? { "dist/bin/render-helper": 0o755 } : {};
    const modes = Object.fromEntries(files.map((file) => [file.name, file.mode & 0o755]));
    assert.deepEqual(modes, { ...helper, [`functions/${name}.mjs`]: 0o644, [`functions/${name}.mjs.map`]: 0o644 });
  }
  const { Variables } = functionsOf((await packagedService()).template).get("plan")?.Environment ?? {};
  assert.equal(Variables?.["DRIFTLESS_RENDER_HELPER"], "/var/task/dist/bin/render-helper");
});

for (const name of names) {
  test(`the ${name} bundle is at most ${limits[name] / 1000} KB, and @kubernetes/client-node is not in it`, async () => {
    const files = (await packagedService()).zips.get(name) ?? [];
    const [bundle, map] = [".mjs", ".mjs.map"].map((end) => files.find((file) => file.name === `functions/${name}${end}`));
    assert.ok(bundle !== undefined && map !== undefined);
    assert.ok(bundle.bytes.length <= limits[name], `${bundle.bytes.length} bytes`);
    const { sources } = JSON.parse(map.bytes.toString()) as { readonly sources: readonly string[] };
    assert.ok(sources.some((source) => source.endsWith(`functions/${name}.ts`)));
    assert.deepEqual(
      sources.filter((source) => source.includes("@kubernetes/")),
      [],
    );
  });

  test(`the ${name} function is told all that it reads, and nothing else`, async () => {
    await withServices(async (endpoints) => {
      const env = await environmentOf(name, endpoints);
      const { exports, error, read } = await load(name, { env });
      assert.deepEqual({ exports, error }, { exports: ["handler"], error: undefined });
      assert.deepEqual(
        read.filter((variable) => variable !== "KUBECONFIG"),
        Object.keys(env)
          .filter((variable) => variable.startsWith("DRIFTLESS_"))
          .sort(),
      );
    });
  });

  test(`the ${name} function without its environment says which variable it misses`, async () => {
    const { error } = await load(name, { env: {} });
    assert.deepEqual([error?.name, error?.code], ["DriftlessError", "config"]);
    assert.match(error?.message ?? "", /^(AWS_REGION|DRIFTLESS_[A-Z_]+) is not set: set it to /);
  });
}

test("the packaged webhook tells a signed delivery from a forged one", async () => {
  const body = JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1 });
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const delivery = (signed: string) => ({
    version: "2.0",
    rawPath: "/webhook",
    rawQueryString: "",
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-github-event": "ping",
      "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "x-hub-signature-256": signed,
    },
    requestContext: { http: { method: "POST", path: "/webhook", sourceIp: "192.0.2.1" } },
    body,
    isBase64Encoded: false,
  });
  await withServices(async (endpoints) => {
    const env = await environmentOf("webhook", endpoints);
    assert.equal((await load("webhook", { env, event: delivery(signature) })).answer?.statusCode, 200);
    assert.equal((await load("webhook", { env, event: delivery(`sha256=${"0".repeat(64)}`) })).answer?.statusCode, 401);
  });
});
