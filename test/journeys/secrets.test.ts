import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { startInstallation } from "../../cli/local/installation.ts";
import { openLogFile } from "../../cli/local/log-file.ts";
import { announceRunning } from "../../cli/local/running.ts";
import { runDriftless } from "../cli/run.ts";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney, webhookSecret } from "../support/journey.ts";
import { type LocalKms, startKms } from "../support/kms.ts";
import { type AgeKeyPair, type Sops, startSops } from "../support/sops.ts";

/** In the names of applications: harmless, and so in everything that tells of them. */
const marker = "plainmarker";
const app = `${marker}-qa`;

const letters = (length: number): string => randomBytes(length).toString("hex").slice(0, length);
const opaque = (name: string): string => `canary-${name}-${letters(12)}`;

/** By name: nothing of these may come out anywhere. */
const canaries = {
  secretData: opaque("data"),
  secretStringData: opaque("string"),
  secretRotated: opaque("rotated"),
  secretBinary: opaque("binary"),
  sopsByAge: opaque("age"),
  sopsByKms: opaque("kms"),
  editedByHand: opaque("edited"),
  lastApplied: opaque("applied"),
  numberInSecret: `4711${String(Date.now()).slice(-8)}`,
  brokenData: opaque("broken"),
  immutableSecret: opaque("immutable"),
  previousWebhookSecret: opaque("previous"),
  kustomizeLiteral: opaque("literal"),
  urlOfRepository: opaque("repository"),
  urlOfRemoteBase: opaque("base"),
  urlInPayload: opaque("payload"),
  urlInChart: opaque("chart-url"),
  chartPassword: opaque("chart"),
  personalToken: `ghp_${letters(36)}`,
  fineGrainedToken: `github_pat_${letters(22)}_${letters(40)}`,
  installationToken: `ghs_${letters(36)}`,
  bearerInHelm: opaque("bearer"),
  basicInHelm: Buffer.from(`ada:${letters(20)}`).toString("base64"),
  presignedSignature: letters(64),
  presignedSession: `IQoJ${letters(40)}`,
  eksToken: `k8s-aws-v1.${letters(60)}`,
  bearerToWebhook: opaque("hook-bearer"),
  tokenInReason: `gho_${letters(36)}`,
  tokenInPath: `ghu_${letters(36)}`,
  tokenInQuery: `ghr_${letters(36)}`,
};

const secret = (name: string, rest: string): string => `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\n${rest}`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What a template that gives up would like everybody to read. */
const complaint = [
  `token ${canaries.personalToken}`,
  `other ${canaries.fineGrainedToken}`,
  `third ${canaries.installationToken}`,
  `Authorization: Bearer ${canaries.bearerInHelm}`,
  `Authorization: Basic ${canaries.basicInHelm}`,
  `https://bucket.example/key?X-Amz-Signature=${canaries.presignedSignature}&X-Amz-Security-Token=${canaries.presignedSession}`,
  canaries.eksToken,
  `https://ada:${canaries.urlInChart}@charts.example/index.yaml`,
].join(" and ");

const application = (name: string, rest: string): string => `  - name: ${marker}-${name}
    cluster: local
    namespace: ${marker}-${name}
    sync: { createNamespace: true, timeout: 20s }
    ${rest}
`;

describe("secrets go through a whole installation", () => {
  let journey: Journey;
  let sops: Sops;
  let kms: LocalKms;
  let age: AgeKeyPair;
  let charts: Server;
  let folder: string;
  /** What came out, by sink. */
  const sinks = new Map<string, string[]>();
  const found = (sink: string, ...texts: readonly string[]): void => void sinks.set(sink, [...(sinks.get(sink) ?? []), ...texts]);

  before(async () => {
    [sops, kms, folder] = await Promise.all([startSops(), startKms(), mkdtemp(join(tmpdir(), "driftless-canaries-"))]);
    age = await sops.newAgeKey();
    // A server that quotes what it was shown.
    charts = createServer(({ url, headers }, response) => {
      response.writeHead(401, { "www-authenticate": `Basic realm="${headers.authorization ?? ""}"` });
      response.end(`refused: ${url ?? ""} ${headers.authorization ?? ""}`);
    });
    await new Promise<void>((resolve) => charts.listen(0, "127.0.0.1", resolve));
    journey = await startJourney({
      onGithub: true,
      sops: { ageKeys: age.file, kmsEndpoint: kms.endpoint },
      install: (options) =>
        startInstallation({
          ...options,
          webhookSecret: JSON.stringify({ current: webhookSecret, previous: canaries.previousWebhookSecret }),
          chartCredentials: JSON.stringify({ [chartHost()]: { username: "ada", password: canaries.chartPassword } }),
        }),
    });
    await synced();
    await edited();
    await broken();
    await asked();
    await collected();
  });
  after(async () => {
    await journey?.close();
    charts.closeAllConnections();
    await new Promise((resolve) => charts.close(resolve));
    await kms.close();
    await sops.close();
    await rm(folder, { recursive: true, force: true });
  });

  const chartHost = (): string => `127.0.0.1:${(charts.address() as AddressInfo).port}`;

  /** Secrets of every kind that are synced, and changed by a later push. */
  async function synced(): Promise<void> {
    const environment = { AWS_ENDPOINT_URL_KMS: kms.endpoint };
    const args = ["--kms", kms.createKey("us-east-1"), "--encryption-context", "app:guestbook"];
    const plain = (value: string): string =>
      [
        secret("plain", `data: { a: ${base64(canaries.secretData)} }\nstringData: { b: "${value}" }\n`),
        secret("binary", `type: Opaque\ndata: { c: ${base64(`\u0000${canaries.secretBinary}`)} }\n`),
        secret(
          "fixed",
          `immutable: true\nstringData: { d: "${canaries.immutableSecret}${value === canaries.secretRotated ? "2" : ""}" }\n`,
        ),
      ].join("---\n");
    const encrypted = { content: secret("sealed", `data: { p: ${base64(canaries.sopsByAge)} }\n`) };
    const commit = await journey.push({
      ...guestbook({ prefix: marker, environments: ["qa"] }),
      "overlays/qa/kustomization.yaml": `${overlay({ prefix: marker, environment: "qa", resources: ["plain.yaml", "sealed.yaml"] })}secretGenerator: [{ name: token, envs: [token.env] }]\n`,
      "overlays/qa/plain.yaml": plain(canaries.secretStringData),
      "overlays/qa/sealed.yaml": await sops.encrypt("sealed.yaml", {
        ...encrypted,
        rule: { age: age.recipient, encrypted_regex: "^(data|stringData)$" },
      }),
      "overlays/qa/token.env": await sops.encrypt("token.env", { content: `TOKEN=${canaries.sopsByKms}\n`, args, environment }),
    });
    assert.equal((await journey.synced(app, commit)).phase, "Succeeded");
    // The immutable one is refused by the API server, in its own words.
    const next = await journey.push({ "overlays/qa/plain.yaml": plain(canaries.secretRotated) });
    assert.equal((await journey.synced(app, next)).phase, "Failed");
  }

  /** Edits by hand, which a sweep finds and a sync heals. */
  async function edited(): Promise<void> {
    const patch = JSON.stringify({ stringData: { b: canaries.editedByHand } });
    await journey.kubectl("patch", "secret", "plain", "-n", app, "--type=merge", `-p=${patch}`);
    const annotation = `kubectl.kubernetes.io/last-applied-configuration={"stringData":{"b":"${canaries.lastApplied}"}}`;
    await journey.kubectl("annotate", "secret", "sealed", "-n", app, "--overwrite", annotation);
    await journey.kubectl("scale", "deployment", "guestbook", "-n", app, "--replicas=3");
    await journey.sweep();
    await eventually("the drift is told of", async () =>
      journey.installation.events.some(
        ({ detailType, detail }) => detailType === "DriftDetected" && detail["application"] === app,
      ),
    );
  }

  /** Applications that cannot be rendered or applied, each quoting its secret as loudly as it can. */
  async function broken(): Promise<void> {
    const { "driftless.yaml": valid = "" } = guestbook({ prefix: marker, environments: ["qa"] });
    const digest = `sha256:${"0".repeat(64)}`;
    const chart = `sources: [{ chart: { repository: "oci://${chartHost()}/charts", name: web, version: 1.0.0, digest: "${digest}" } }]`;
    const files = {
      "driftless.yaml": [
        valid,
        application("helm", "path: helm"),
        application("kust", "path: kust"),
        application("base", "path: base-remote"),
        application("number", "path: number"),
        application("tls", "path: tls"),
        application("chart", chart),
      ].join(""),
      "helm/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "helm/templates/fail.yaml": `{{ fail ${JSON.stringify(complaint)} }}\n`,
      "kust/kustomization.yaml": `secretGenerator: [{ name: s, literals: ["${canaries.kustomizeLiteral}"] }]\n`,
      "base-remote/kustomization.yaml": `resources: ["https://ada:${canaries.urlOfRemoteBase}@host.example/acme/base?ref=main"]\n`,
      "number/secret.yaml": secret("number", `stringData: { n: ${canaries.numberInSecret} }\n`),
      "tls/secret.yaml": secret("tls", `type: kubernetes.io/tls\nstringData: { tls.crt: "${canaries.brokenData}" }\n`),
    };
    const commit = await journey.push(files);
    for (const name of ["helm", "kust", "base", "number", "tls", "chart"]) await ended(`${marker}-${name}`, commit);
    // Credentials in a URL are refused with the whole file, which says so in the delivery.
    const url = `repository: "https://ada:${canaries.urlOfRepository}@git.example/acme/none.git"`;
    await journey.push({ "driftless.yaml": `${valid}${application("url", `${url}\n    path: x`)}` });
    await eventually("the configuration is refused", async () =>
      (await journey.installation.stores.deliveries.list()).items.some(({ reason }) => reason.includes("holds credentials")),
    );
  }

  const ended = (name: string, commit: string) =>
    eventually(`${name} has failed`, async () => {
      const state = await journey.state(name);
      const error = state?.plannedRevision === commit ? state.planError : "";
      const [row] = (await journey.syncs(name)).filter(({ phase }) => phase === "Failed");
      for (const text of [error, ...(row?.errors ?? [])]) if (text !== "") found("error texts", text, `of ${name}`);
      return error !== "" || row !== undefined;
    });

  /** What people and strangers send. */
  async function asked(): Promise<void> {
    const { url } = journey.installation;
    const post = async (path: string, body: string, headers: Readonly<Record<string, string>>): Promise<void> => {
      const answer = await fetch(`${url}${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      });
      found("API answers", await answer.text());
    };
    const reason = JSON.stringify({ reason: `since ${canaries.tokenInReason} leaked`, owner: "ada" });
    await post(`/api/applications/${app}/suspend`, reason, {});
    await post(`/api/applications/${canaries.tokenInPath}/sync`, "{}", {});
    const body = JSON.stringify({
      ref: "refs/heads/other",
      before: "0".repeat(40),
      after: "1".repeat(40),
      created: true,
      deleted: false,
      repository: {
        id: 7,
        full_name: "acme/odd",
        clone_url: `https://ada:${canaries.urlInPayload}@git.example/acme/odd.git`,
        html_url: "https://git.example/acme/odd",
      },
    });
    const signed = `sha256=${createHmac("sha256", canaries.previousWebhookSecret).update(body).digest("hex")}`;
    const headers = { "x-github-event": "push", authorization: `Bearer ${canaries.bearerToWebhook}` };
    await post("/webhook", body, { ...headers, "x-github-delivery": randomUUID(), "x-hub-signature-256": signed });
    await post("/webhook", body, {
      ...headers,
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    });
    await eventually("the plan has looked at it", async () =>
      (await journey.installation.stores.deliveries.list()).items.every(
        ({ state }) => state !== "queued" && state !== "received",
      ),
    );
    await journey.sweep();
  }

  async function collected(): Promise<void> {
    const { installation, events } = journey;
    found("log lines", ...events.map((event) => JSON.stringify(event)));
    const rows = (await installation.dynamodb.call("Scan", { TableName: installation.table }))?.Items ?? [];
    found("table rows", ...rows.map(rowText));
    found("events", ...installation.events.map((event) => JSON.stringify(event)));
    for (const route of routes()) {
      const answer = await fetch(`${installation.url}/api${route}`);
      found("API answers", await answer.text());
    }
    const file = openLogFile(join(folder, "functions.log"));
    for (const event of events) file.write(JSON.stringify(event));
    file.close();
    found("log file", await readFile(file.path, "utf8"));
    await commandLine(file.path);
  }

  const names = () => ["qa", "helm", "kust", "base", "number", "tls", "chart"].map((name) => `${marker}-${name}`);

  const routes = (): readonly string[] => [
    "/applications",
    "/drift",
    "/deliveries",
    "/clusters/local/sweeps",
    `/applications/${app}/plan`,
    `/applications/${canaries.tokenInPath}`,
    `/drift?manager=${canaries.tokenInQuery}`,
    `/drift?since=${canaries.tokenInQuery}`,
    ...names().flatMap((name) =>
      ["", "/syncs", "/resources", "/drift", "/inputs", "/plan"].map((part) => `/applications/${name}${part}`),
    ),
  ];

  async function commandLine(log: string): Promise<void> {
    const { url } = journey.installation;
    const environment = { XDG_CACHE_HOME: folder };
    const { kubeconfig, kubectl } = journey.controlPlane;
    const forget = await announceRunning({ pid: process.pid, api: `${url}/api`, kubeconfig, kubectl, log }, environment);
    const commands = [
      ["status"],
      ["drift"],
      ["sweeps", "local"],
      ["history", app],
      ["history", `${marker}-tls`],
      ["explain", app],
      ["plan", app],
      ["plan", `${marker}-helm`],
      ["logs"],
      ["logs", `${marker}-helm`, "--output", "json"],
      ["sync", canaries.tokenInPath],
      ["logs", "--since", canaries.tokenInQuery],
    ];
    for (const command of commands) {
      const { stdout, stderr } = await runDriftless(command, { environment });
      found("output of the command line", stdout, stderr);
    }
    await forget();
  }

  for (const sink of [
    "log lines",
    "table rows",
    "events",
    "API answers",
    "log file",
    "output of the command line",
    "error texts",
  ]) {
    test(`${sink}: searched, and none of thirty secrets is there`, () => {
      const texts = sinks.get(sink) ?? [];
      assert.ok(
        texts.some((text) => text.includes(marker)),
        `${sink} tell of nothing: ${texts.length} texts`,
      );
      const hits: string[] = [];
      for (const [name, value] of [...Object.entries(canaries), ...Object.entries(keys())]) {
        for (const form of new Set([value, base64(value), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])) {
          const text = texts.find((each) => each.includes(form));
          if (text !== undefined) hits.push(`${name}: ${around(text, form)}`);
        }
      }
      assert.deepEqual(hits, []);
    });
  }

  /** Keys of the installation itself. */
  function keys(): Readonly<Record<string, string>> {
    const { github, controlPlane } = journey;
    const tokens = new Set(
      (github?.gitAuthorizations ?? []).map((header) => header.replace(/^\w+ /, "")).filter((token) => token !== ""),
    );
    const pem = (github?.privateKey ?? "").split("\n").filter((line) => line.length > 40);
    assert.ok(pem.length > 5 && tokens.size > 0);
    return {
      currentWebhookSecret: webhookSecret,
      ageIdentity: age.identity,
      ...Object.fromEntries(pem.map((line, at) => [`line ${at} of the App's key`, line])),
      ...Object.fromEntries([...tokens].map((token, at) => [`token ${at} of the App`, token])),
      ...Object.fromEntries(Object.entries(controlPlane.tokens).map(([name, token]) => [`kubeconfig of ${name}`, token])),
    };
  }

  test("thirty secrets were put in, and each reached what it was meant for", async () => {
    assert.equal(Object.keys(canaries).length, 30);
    const live = await journey.kubectl("get", "secrets", "-n", app, "-o", "json");
    for (const value of [canaries.secretData, canaries.sopsByAge, canaries.sopsByKms]) assert.ok(live.includes(base64(value)));
    const texts = sinks.get("error texts") ?? [];
    for (const name of names().slice(1)) assert.ok(texts.includes(`of ${name}`), name);
    assert.ok(texts.some((text) => text.includes("[secret]")));
  });
});

function around(text: string, form: string): string {
  const at = text.indexOf(form);
  return text.slice(Math.max(0, at - 120), at + form.length + 40);
}

/** A row with its binary attributes byte for byte, and inflated where they are deflated. */
function rowText(row: object): string {
  return JSON.stringify(row, (key, value: unknown) => {
    if (key !== "B" || typeof value !== "string") return value;
    const bytes = Buffer.from(value, "base64");
    return [bytes, inflated(bytes)].map((each) => Buffer.from(each).toString("latin1"));
  });
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes);
  } catch {
    return Buffer.of(); // sealed
  }
}
