import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { canonicalJson, type JsonValue, parseJson, stringifyJson } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { helperBinary } from "../render/helper.ts";
import { sharedControlPlane } from "../support/cluster.ts";
import { guestbook, overlay } from "../support/guestbook.ts";
import { aConfigMap, aDeployment, aPod } from "../support/objects.ts";
import { runDriftless } from "./run.ts";

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "driftless-files-"));
});
after(() => rm(root, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(root, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

describe("driftless render", () => {
  const render = async (folder: string, ...options: readonly string[]) =>
    runDriftless(["render", folder, ...options], { environment: { DRIFTLESS_RENDER_HELPER: await helperBinary() } });
  const sorted = (objects: readonly JsonValue[]): readonly string[] =>
    objects.map(canonicalJson).toSorted((a, b) => (a < b ? -1 : 1));

  before(async () => {
    const files = {
      ...guestbook({ prefix: "cli", environments: ["qa"] }),
      "overlays/qa/kustomization.yaml": `${overlay({ prefix: "cli", environment: "qa", tag: "2.0", replicas: 3 })}configMapGenerator: [{ name: settings, literals: [a=1] }]\n`,
    };
    for (const [name, text] of Object.entries(files)) await write(`repository/${name}`, text);
    await mkdir(join(root, "repository", ".git"));
  });

  test("gives the objects that kubectl kustomize gives", async () => {
    const folder = join(root, "repository", "overlays", "qa");
    const { kubectl } = await sharedControlPlane();
    const expected = (await promisify(execFile)(kubectl, ["kustomize", folder])).stdout;
    const objects = documents(expected);
    assert.equal(objects.length, 3);
    const json = await render(folder, "--output", "json");
    assert.deepEqual([json.status, json.stderr], [0, ""]);
    assert.deepEqual(sorted(parseJson(json.stdout) as readonly JsonValue[]), sorted(objects));
    const table = await render(folder);
    assert.deepEqual(sorted(documents(table.stdout)), sorted(objects));
  });

  test("a base may lie beside the folder, also where there is no repository", async () => {
    await write("loose/base/kustomization.yaml", "resources: [one.yaml]\n");
    await write("loose/base/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: one }\n");
    await write("loose/overlays/qa/kustomization.yaml", "resources: [../../base]\nnamePrefix: qa-\n");
    const { status, stdout } = await render(join(root, "loose", "overlays", "qa"), "--output", "json");
    assert.equal(status, 0);
    assert.equal(stdout, '[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"qa-one"}}]\n');
  });

  test("names the file and the line of a mistake, and exits with 1", async () => {
    await write("broken/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n bad: 1\n");
    const { status, stdout, stderr } = await render(join(root, "broken"));
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^driftless: one\.yaml:[45]: /);
  });

  test("says that a folder is not there", async () => {
    const { status, stderr } = await render(join(root, "nowhere"));
    assert.equal(status, 1);
    assert.match(stderr, /^driftless: .*nowhere/);
    assert.doesNotMatch(stderr, /\n +at /);
  });
});

describe("driftless health", () => {
  const running: Manifest = {
    ...aPod("shop", "web"),
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
  const waiting = { name: "web", state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } } };
  const crashing: Manifest = { ...aPod("shop", "job"), status: { phase: "Running", containerStatuses: [waiting] } };
  const progressing: Manifest = {
    ...aDeployment("shop", "api"),
    metadata: { name: "api", namespace: "shop", generation: 2 },
    status: { observedGeneration: 1 },
  };
  const list = (...items: readonly Manifest[]) => stringifyJson({ apiVersion: "v1", kind: "List", items });

  test("tells the health of each object of a list; all is well is exit status 0", async () => {
    const file = await write("good.json", list(running, aConfigMap("shop", "settings")));
    const { status, stdout } = await runDriftless(["health", file]);
    assert.equal(status, 0);
    assert.deepEqual(
      stdout.split("\n").map((line) => line.trim().replaceAll(/ +/g, " ")),
      ["OBJECT HEALTH MESSAGE", "Pod shop/web Healthy", "ConfigMap shop/settings Healthy", ""],
    );
  });

  test("an object that is Degraded is exit status 1; one on its way is not", async () => {
    const bad = await runDriftless(["health", await write("bad.json", list(running, crashing)), "--output", "json"]);
    assert.equal(bad.status, 1);
    const results = JSON.parse(bad.stdout) as readonly { object: string; status: string; message: string }[];
    assert.deepEqual(
      results.map(({ object, status }) => [object, status]),
      [
        ["Pod shop/web", "Healthy"],
        ["Pod shop/job", "Degraded"],
      ],
    );
    assert.match(results[1]?.message ?? "", /CrashLoopBackOff/);
    const later = await runDriftless(["health", await write("later.json", list(progressing))]);
    assert.equal(later.status, 0);
    assert.match(later.stdout, /Deployment shop\/api +Progressing/);
  });

  test("reads several documents, and standard input", async () => {
    const input = `${stringifyJson(running)}\n---\n# nothing\n---\n${stringifyJson(crashing)}\n`;
    const { status, stdout } = await runDriftless(["health", "-"], { input });
    assert.equal(status, 1);
    assert.match(stdout, /Pod shop\/web +Healthy\nPod shop\/job +Degraded/);
  });

  const unreadable: readonly (readonly [what: string, text: string | undefined, reason: RegExp])[] = [
    ["a file that is not there", undefined, /cannot be read/],
    ["text that is no YAML", "a: [", /file\.yaml: /],
    ["something that is no object", "a: 1\n", /has no apiVersion, kind or metadata\.name/],
    ["a text", "hello\n", /has no apiVersion, kind or metadata\.name/],
  ];
  for (const [what, text, reason] of unreadable) {
    test(`says what is wrong with ${what}`, async () => {
      const file = text === undefined ? join(root, "none.yaml") : await write("file.yaml", text);
      const { status, stdout, stderr } = await runDriftless(["health", file]);
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(stderr, reason);
      assert.doesNotMatch(stderr, /\n +at /);
    });
  }
});

function documents(text: string): readonly JsonValue[] {
  const parsed = parseAllDocuments(text, { version: "1.1" });
  return Array.isArray(parsed) ? parsed.map((document) => document.toJS() as JsonValue) : [];
}
