import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfiguration } from "../../lib/config/configuration.ts";

const problemsOf = (rules: string): readonly string[] => {
  const text = `clusters: []\napplications: []\nhealthCheckExprs:\n${rules}`;
  const check = checkConfiguration({ text, file: "driftless.yaml", repository: "https://git.example/fleet.git" });
  return check.valid ? [] : check.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
};

test("a rule of health whose expressions are CEL is taken", () => {
  const rule = `  - { apiVersion: example.com/v1, kind: Database, current: 'status.?phase.orValue("") == "Ready"', failed: "status.errors > 0" }\n`;
  assert.deepEqual(problemsOf(rule), []);
});

test("an expression that is no CEL, or gives no truth, is refused where it stands", () => {
  const [first = "", second = ""] = problemsOf(
    `  - { apiVersion: v1, kind: A, current: "status.phase ==" }\n  - { apiVersion: v1, kind: B, current: "true", failed: '"text"' }\n`,
  );
  assert.match(first, /^4 healthCheckExprs\[0\]\.current: is no expression of CEL that tells true or false: ./);
  assert.equal(
    second,
    "5 healthCheckExprs[1].failed: is no expression of CEL that tells true or false: it gives a string, and has to give true or false",
  );
});

test("a kind has one rule, whatever the version", () => {
  const rules = ["v1", "v2"].map((version) => `  - { apiVersion: example.com/${version}, kind: A, current: "true" }\n`).join("");
  assert.deepEqual(problemsOf(rules), [
    "5 healthCheckExprs[1].kind: has a rule in healthCheckExprs[0] already, which counts for all versions: keep one",
  ]);
});
