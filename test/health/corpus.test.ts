import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { assessHealth } from "../../lib/health/health.ts";
import type { HealthStatus } from "../../lib/model/health.ts";
import type { Manifest } from "../../lib/model/resource.ts";

interface Case {
  readonly kind: string;
  readonly input: string;
  readonly expected: HealthStatus;
  readonly actual: HealthStatus;
}

const corpora = process.env["DRIFTLESS_CORPORA"];

function readCases(root: string): readonly Case[] {
  return globSync("*/*/expected.yaml", { cwd: root }).flatMap((file) => {
    const folder = dirname(file);
    const { tests } = parse(readFileSync(join(root, file), "utf8")) as { tests: { inputPath: string; expected: HealthStatus }[] };
    return tests.map(({ inputPath, expected }) => {
      const live = readFirst(join(root, folder, inputPath));
      return { kind: folder, input: inputPath, expected, actual: assessHealth(live).status };
    });
  });
}

/** As lenient as the field: an input may have more documents, or a key twice. */
function readFirst(file: string): Manifest {
  const documents = parseAllDocuments(readFileSync(file, "utf8"), { uniqueKeys: false, logLevel: "silent" });
  const [first] = Array.isArray(documents) ? documents : [];
  const live = first?.toJS() as Manifest;
  return { ...live, metadata: live.metadata ?? { name: "" } };
}

/** What the rules reach now, without one written for any of these kinds; it must not fall. */
const genericFloor = 431;
const builtIn = /^(apiextensions\.k8s\.io)\//;

describe("health of other people's objects", { skip: corpora === undefined ? "DRIFTLESS_CORPORA is not set" : false }, () => {
  it("agrees with Argo CD on every built-in kind, and on others at least as often as it did", (context) => {
    const cases = readCases(join(corpora!, "health"));
    const ours = cases.filter(({ kind }) => builtIn.test(kind));
    const generic = cases.filter(({ kind }) => !builtIn.test(kind));
    const agreed = generic.filter(({ expected, actual }) => expected === actual).length;
    context.diagnostic(
      `by conditions and words alone ${agreed} of ${generic.length} objects get the health that Argo CD gives them`,
    );
    assert.ok(ours.length > 0);
    assert.deepEqual(
      ours.filter(({ expected, actual }) => expected !== actual),
      [],
    );
    assert.ok(agreed >= genericFloor, `${agreed} of ${generic.length} agree, ${genericFloor} did`);
  });
});
