import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import { mapConcurrently } from "../../lib/cluster/concurrency.ts";
import { diffOwned } from "../../lib/diff/diff.ts";
import { isJsonObject, type JsonObject, parseJson, stringifyJson } from "../../lib/model/json.ts";
import { isManifest, type Manifest, refOf } from "../../lib/model/resource.ts";
import { ourFields } from "../../lib/ownership/fingerprint.ts";
import { exactJson } from "../../scripts/yaml-cases.ts";
import { renderFolder, testRenderer } from "../render/helper.ts";
import { filesBelow, memoryTree } from "../render/tree.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aCustomKind, openCluster } from "./open.ts";
import { yamlWriter } from "./yaml-documents.ts";

const renderer = await testRenderer();
const run = promisify(execFile);

const batches = 200;
const documentsEach = 100;
const objectsEach = 5;

/** DRIFTLESS_SEED tries others. */
const seed = Number(process.env["DRIFTLESS_SEED"] ?? "1");

interface Place {
  readonly apiVersion: string;
  readonly namespace: string;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "driftless-fidelity-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Files of a few objects each, and in each object many documents, as values of `spec.free`. */
async function writeDocuments(folder: string, { apiVersion, namespace }: Place): Promise<void> {
  const writer = yamlWriter(seed);
  const object = (name: string): string => {
    const documents = Array.from({ length: documentsEach }, (_, index) => `    d${index}:${writer.value("    ")}`);
    const head = `apiVersion: ${apiVersion}\nkind: Note\nmetadata: {name: ${name}, namespace: ${namespace}}\n`;
    return `${head}spec:\n  free:\n${documents.join("")}`;
  };
  for (let first = 0; first < batches; first += objectsEach) {
    const texts = Array.from({ length: objectsEach }, (_, index) => object(`n${first + index}`));
    const text = texts.join("---\n");
    const ending = first % 40 === 0 ? "\r\n" : "\n";
    await writeFile(path.join(folder, `f${first}.yaml`), text.replaceAll("\n", ending));
  }
}

/** What kubectl makes of the files, by name. */
async function readByKubectl(folder: string, home: string): Promise<ReadonlyMap<string, Manifest>> {
  const { kubectl, kubeconfig } = await sharedControlPlane();
  const { stdout } = await run(
    kubectl,
    ["create", "--dry-run=client", "--validate=false", "--output=json", `--filename=${folder}`],
    { env: { HOME: home, KUBECONFIG: kubeconfig }, maxBuffer: 2 ** 28 },
  );
  // It prints one object after the other.
  const objects = stdout.split(/\n(?=\{\n)/).map(parseJson);
  return new Map(objects.filter(isManifest).map((object) => [object.metadata.name, object]));
}

function documentsOf(object: Manifest | undefined): JsonObject {
  const spec = object?.["spec"];
  const free = isJsonObject(spec) ? spec["free"] : undefined;
  assert.ok(isJsonObject(free), `${object?.metadata.name} has no documents`);
  return free;
}

/** The documents of one object that a reader sees otherwise than kubectl. */
function differences(found: Manifest | undefined, expected: Manifest | undefined): readonly string[] {
  const documents = documentsOf(found);
  const reference = documentsOf(expected);
  assert.equal(Object.keys(reference).length, documentsEach);
  const text = (values: JsonObject, key: string): string => exactJson(stringifyJson(values[key] ?? null));
  return Object.keys({ ...reference, ...documents })
    .filter((key) => text(documents, key) !== text(reference, key))
    .map((key) => `${expected?.metadata.name} ${key}: ${text(documents, key)}, by kubectl ${text(reference, key)}`);
}

async function applied(cluster: ClusterWriter, objects: readonly Manifest[]): Promise<readonly (Manifest | undefined)[]> {
  return mapConcurrently(objects, {
    limit: 8,
    work: async (object) => {
      await cluster.apply(object, { force: true });
      return cluster.get(refOf(object));
    },
  });
}

test("E1 20,000 generated documents are live as kubectl reads their files", async (t) => {
  const cluster = await openCluster(t);
  const [namespace, { group }, folder, home] = [
    await testNamespace("fidelity"),
    await aCustomKind(t, cluster),
    await temporaryFolder(t),
    await temporaryFolder(t),
  ];
  await writeDocuments(folder, { apiVersion: `${group}/v1`, namespace });
  const reference = await readByKubectl(folder, home);
  assert.equal(reference.size * documentsEach, 20_000);

  const { objects } = await renderFolder(renderer, { tree: memoryTree(filesBelow(folder)), path: "" });
  assert.equal(objects.length, batches);
  assert.deepEqual(
    objects.flatMap((object) => differences(object, reference.get(object.metadata.name))),
    [],
  );
  const live = await applied(cluster, objects);
  assert.deepEqual(
    live.flatMap((object) => differences(object, reference.get(object?.metadata.name ?? ""))),
    [],
  );
});

test("E6 a field that no schema here knows is on the wire, in the live object and in the diff", async (t) => {
  const sent: string[] = [];
  const cluster = await openCluster(t, {
    fault: ({ body }) => {
      if (body !== undefined) sent.push(body);
      return undefined;
    },
  });
  const namespace = await testNamespace("fidelity");
  const metadata = { name: "newer", namespace };
  const service: Manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { ports: [{ port: 80 }], newerThanTheServer: 1 },
  };
  await assert.rejects(cluster.apply(service, { force: true }), {
    code: "apply",
    message: /\.spec\.newerThanTheServer: field not declared/,
  });
  assert.match(sent.at(-1) ?? "", /"newerThanTheServer":1/);

  const { group } = await aCustomKind(t, cluster);
  const note = (id: bigint): Manifest => ({
    apiVersion: `${group}/v1`,
    kind: "Note",
    metadata,
    spec: { free: { unknown: { id, list: [{ a: null }] } } },
  });
  await cluster.apply(note(9007199254740993n), { force: true });
  const live = await cluster.get(refOf(note(0n)));
  assert.ok(live !== undefined);
  assert.deepEqual(live["spec"], note(9007199254740993n)["spec"]);
  const desired = await cluster.dryRunApply(note(9007199254740992n), { force: true });
  const owned = ourFields(desired.metadata);
  assert.ok(owned !== undefined);
  assert.deepEqual(diffOwned({ desired, live, owned }), [
    { path: "spec.free.unknown.id", desired: 9007199254740992n, live: 9007199254740993n },
  ]);
});
