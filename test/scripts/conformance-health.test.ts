import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const folder = await mkdtemp(path.join(tmpdir(), "driftless-conformance-health-"));
after(() => rm(folder, { recursive: true, force: true }));

function run(...args: readonly string[]) {
  const script = path.join(import.meta.dirname, "../../scripts/conformance-health.ts");
  const env = { ...process.env, NODE_NO_WARNINGS: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

/** A corpus of one kind: its expectations, and an object in each phase that they name. */
async function aCorpus(name: string, expected: string, phases: readonly string[] = []): Promise<string> {
  const kind = path.join(folder, name, "example.com", "Widget");
  await mkdir(path.join(kind, "testdata"), { recursive: true });
  await writeFile(path.join(kind, "expected.yaml"), expected);
  for (const phase of phases) {
    const object = `apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nstatus: {phase: ${phase}, message: no disk}\n`;
    await writeFile(path.join(kind, "testdata", `${phase}.yaml`), object);
  }
  return path.join(folder, name);
}

const expecting = (...all: readonly (readonly [phase: string, expected: string])[]) =>
  `tests:\n${all.map(([phase, expected]) => `- inputPath: testdata/${phase}.yaml\n  expected: ${expected}\n`).join("")}`;

test("a folder whose objects all get the expected health ends with status 0", async () => {
  const corpus = await aCorpus("good", expecting(["Ready", "Healthy"], ["Failed", "Degraded"]), ["Ready", "Failed"]);
  assert.deepEqual(run(corpus), { status: 0, stdout: "2 agree, 0 differ\n", stderr: "" });
});

test("each object that differs is a line with kind, input, both healths and the reason, and too many are status 1", async () => {
  const corpus = await aCorpus("bad", expecting(["Ready", "Healthy"], ["Failed", "Healthy"]), ["Ready", "Failed"]);
  const { status, stdout } = run(corpus);
  assert.equal(
    stdout,
    "example.com/Widget  testdata/Failed.yaml  expected Healthy, is Degraded: its phase is Failed: no disk\n1 agree, 1 differ\n",
  );
  assert.equal(status, 1);
});

test("98 of 100 are enough, 97 are not", async () => {
  const all = (bad: number) =>
    expecting(...Array.from({ length: 100 }, (_, index) => ["Ready", index < bad ? "Degraded" : "Healthy"] as const));
  assert.equal(run(await aCorpus("enough", all(2), ["Ready"])).status, 0);
  assert.equal(run(await aCorpus("few", all(3), ["Ready"])).status, 1);
});

test("an input may have more documents or a key twice, and no metadata", async () => {
  const corpus = await aCorpus("lenient", expecting(["Ready", "Healthy"]));
  await writeFile(
    path.join(corpus, "example.com/Widget/testdata/Ready.yaml"),
    "apiVersion: example.com/v1\nkind: Widget\nstatus: {phase: Failed}\nstatus: {phase: Ready}\n---\na: 1\n",
  );
  assert.deepEqual(run(corpus), { status: 0, stdout: "1 agree, 0 differ\n", stderr: "" });
});

test("a folder that cannot be read ends with status 2 and says which file, and why", async () => {
  const broken: readonly (readonly [corpus: string, reason: RegExp])[] = [
    [path.join(folder, "nowhere"), /nowhere: it holds no file GROUP\/KIND\/expected\.yaml/],
    [await aCorpus("missing", expecting(["Gone", "Healthy"])), /testdata\/Gone\.yaml: ENOENT/],
    [await aCorpus("no-list", "tests: 1\n"), /Widget\/expected\.yaml: it has no list `tests`/],
    [await aCorpus("no-word", "tests: [{inputPath: a.yaml}]\n"), /test 1 has no texts `inputPath` and `expected`/],
    [await aCorpus("no-yaml", "tests: [\n"), /Widget\/expected\.yaml: /],
  ];
  for (const [corpus, reason] of broken) {
    const { status, stdout, stderr } = run(corpus);
    assert.deepEqual([status, stdout], [2, ""], stderr);
    assert.match(stderr, reason);
  }
  const nothing = await aCorpus("no-object", expecting(["Ready", "Healthy"]));
  await writeFile(path.join(nothing, "example.com/Widget/testdata/Ready.yaml"), "- 1\n");
  assert.match(run(nothing).stderr, /Ready\.yaml: it is no object with `apiVersion` and `kind`/);
  assert.equal(run().status, 2);
  assert.equal(run("a", "b").status, 2);
  assert.equal(run("--help").status, 0);
});
