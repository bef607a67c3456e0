import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { exactJson, judge, parseCases, type Verdict } from "../../scripts/yaml-cases.ts";
import { helperBinary } from "../render/helper.ts";

const helper = await helperBinary();
const folder = await mkdtemp(path.join(tmpdir(), "driftless-conformance-"));
after(() => rm(folder, { recursive: true, force: true }));

async function conformance(cases: string, environment: NodeJS.ProcessEnv = {}) {
  const file = path.join(folder, "cases.json");
  await writeFile(file, cases);
  return run([file], environment);
}

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const script = path.join(import.meta.dirname, "../../scripts/conformance-yaml.ts");
  const env = { ...process.env, NODE_NO_WARNINGS: "1", DRIFTLESS_RENDER_HELPER: helper, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

const same = {
  id: "same",
  yaml: "v: 0644\n---\nw: [9007199254740993, 1.0]\n",
  documents: ['{"v":420}', '{"w":[9007199254740993,1]}'],
};
const both = { id: "both", yaml: "v: .inf\n", error: true, strictRefuses: true };
const here = { id: "here", yaml: "a: 1\na: 2\n", documents: ['{"a":2}'] };

test("cases that are the same or refused end with status 0, with a line for each refusal", async () => {
  const { status, stdout, stderr } = await conformance(JSON.stringify([same, both, here]));
  assert.equal(stdout, 'refused  here  line 2: key "a" is there twice: remove one of the two\n2 same, 1 refused, 0 silent\n');
  assert.deepEqual([status, stderr], [0, ""]);
});

test("a value read otherwise, a document too many and what only Kubernetes refuses are silent, with status 1", async () => {
  const { status, stdout } = await conformance(
    JSON.stringify([
      { id: "rounded", yaml: "v: 9007199254740993\n", documents: ['{"v":9007199254740992}'] },
      { id: "more", yaml: "v: 1\n---\nw: 1\n", documents: ['{"v":1}'] },
      { id: "line\nbreak", yaml: "v: 1\n", error: true },
      same,
    ]),
  );
  assert.equal(
    stdout,
    [
      'silent  rounded  read as {"v":9007199254740993}, by Kubernetes as {"v":9007199254740992}',
      'silent  more  read as {"v":1} {"w":1}, by Kubernetes as {"v":1}',
      'silent  line\\nbreak  read as {"v":1}, refused by Kubernetes',
      "1 same, 0 refused, 3 silent\n",
    ].join("\n"),
  );
  assert.equal(status, 1);
});

test("a file that holds no cases, and a helper that does not start, end with status 2 and the reason", async () => {
  const broken: readonly (readonly [content: string, reason: RegExp])[] = [
    ["{", /cases\.json: not JSON: /],
    ["{}", /cases\.json: not a list of cases$/],
    ["[]", /cases\.json: it holds no case$/],
    [JSON.stringify([same, { id: "x", yaml: 1, documents: [] }]), /case 2 \(x\): `yaml` is not a text$/],
    [JSON.stringify([{ id: "x", yaml: "" }]), /case 1 \(x\): it has neither a list `documents` nor `error: true`$/],
    [JSON.stringify([{ id: "x", yaml: "", documents: [], error: true }]), /case 1 \(x\): it has `error`/],
    [JSON.stringify([{ id: "x", yaml: "", documents: ["{"] }]), /case 1 \(x\): `documents` are not all JSON texts$/],
  ];
  for (const [content, reason] of broken) {
    const { status, stdout, stderr } = await conformance(content);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr.trim(), reason);
  }
  const missing = run([path.join(folder, "nowhere.json")]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /nowhere\.json: ENOENT/);
  const dead = await conformance(JSON.stringify([same]), { DRIFTLESS_RENDER_HELPER: "/nowhere/render-helper" });
  assert.equal(dead.status, 2);
  assert.match(dead.stderr, /does not start/);
  assert.equal(run([]).status, 2);
  assert.equal(run(["a.json", "b.json"]).status, 2);
});

test("integers of 64 bits are compared exactly, all other numbers as doubles", () => {
  assert.equal(exactJson('{"b":1.0,"a":-0}'), exactJson('{"a":0,"b":1}'));
  assert.equal(exactJson("9223372036854775808"), exactJson("9223372036854776000"));
  assert.equal(exactJson("1e18"), exactJson("1000000000000000000"));
  assert.notEqual(exactJson("9223372036854775807"), exactJson("9223372036854775806"));
  assert.notEqual(exactJson("9223372036854775807"), exactJson("9223372036854775808"));
  assert.notEqual(exactJson('"1"'), exactJson("1"));
});

test("a document may be given by its beginning and its length", () => {
  const [long] = parseCases(JSON.stringify([{ id: "long", yaml: "", documents: ['{"v":[1,...<15>'] }]));
  const verdict = (read: string): Verdict["verdict"] => judge(long!, { documents: [read] }).verdict;
  assert.equal(verdict('{"v":[1,2,3,4]}'), "same");
  assert.equal(verdict('{"v":[1,2,3,45]}'), "silent");
  assert.equal(verdict('{"v":[2,2,3,4]}'), "silent");
});
