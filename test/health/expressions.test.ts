import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { expressionProblem } from "../../lib/cel/expressions.ts";
import { assessHealth, createAssessor } from "../../lib/health/health.ts";
import type { HealthCheckExpr } from "../../lib/model/health.ts";
import type { JsonObject, JsonValue } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";

function aWidget(status?: JsonObject, metadata: JsonObject = {}): Manifest {
  const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w", ...metadata } };
  return status === undefined ? widget : { ...widget, status };
}

function judge(expression: Omit<HealthCheckExpr, "apiVersion" | "kind">, live: Manifest) {
  return createAssessor([{ apiVersion: "example.com/v1", kind: "Widget", ...expression }])(live);
}

describe("the user's expressions", () => {
  it("are asked in the order inProgress, failed, current", () => {
    const expression = { inProgress: "status.a", failed: "status.b", current: "status.c" };
    assert.equal(judge(expression, aWidget({ a: true, b: true, c: true })).status, "Progressing");
    assert.equal(judge(expression, aWidget({ a: false, b: true, c: true })).status, "Degraded");
    assert.equal(judge(expression, aWidget({ a: false, b: false, c: true })).status, "Healthy");
    assert.equal(judge(expression, aWidget({ a: false, b: false, c: false })).status, "Progressing");
  });

  it("win over the table, over the general rules and over the rule of a built-in kind, in every version of their group", () => {
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    assert.equal(assessHealth(aWidget(ready)).status, "Healthy");
    assert.equal(judge({ current: "false" }, aWidget(ready)).status, "Progressing");
    const assess = createAssessor([
      { apiVersion: "cert-manager.io/v1alpha2", kind: "Certificate", current: "false" },
      { apiVersion: "v1", kind: "ConfigMap", current: 'data.done == "yes"' },
    ]);
    const certificate = { apiVersion: "cert-manager.io/v1", kind: "Certificate", metadata: { name: "c" }, status: ready };
    assert.equal(assess(certificate).status, "Progressing");
    assert.equal(assess(aWidget(ready)).status, "Healthy");
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { done: "yes" } };
    assert.equal(assess(map).status, "Healthy");
    assert.equal(assess({ ...map, data: { done: "no" } }).status, "Progressing");
    assert.equal(assess.hasHealth({ group: "", kind: "ConfigMap" }), true);
    assert.equal(assessHealth.hasHealth({ group: "", kind: "ConfigMap" }), false);
  });

  it("end in Progressing with the reason when a field is not there, unless they ask for it", () => {
    assert.deepEqual(judge({ current: "status.ready" }, aWidget({ other: 1 })), {
      status: "Progressing",
      message: "its expression `current` cannot be evaluated: No such key: ready",
    });
    assert.match(judge({ current: "status.ready" }, aWidget()).message, /cannot be evaluated: Unknown variable: status/);
    assert.match(judge({ failed: "status.broken", current: "status.ready" }, aWidget({ ready: true })).message, /`failed`/);
    assert.equal(judge({ failed: "has(status.broken)", current: "status.ready" }, aWidget({ ready: true })).status, "Healthy");
    assert.equal(judge({ current: "status.?ready.orValue(true)" }, aWidget({})).status, "Healthy");
    assert.match(judge({ current: "status.n" }, aWidget({ n: 1 })).message, /neither true nor false/);
  });

  it("are not asked while the controller has not seen the newest spec, nor of an object that is being deleted", () => {
    assert.equal(judge({ current: "true" }, aWidget({ observedGeneration: 1 }, { generation: 2 })).status, "Progressing");
    assert.equal(judge({ current: "true" }, aWidget({}, { deletionTimestamp: "2026-03-01T10:00:00Z" })).status, "Progressing");
  });

  it("see integers as integers, fractions as doubles, and metadata without managedFields", () => {
    const live = aWidget(
      { n: 3, big: 9007199254740993n, f: 1.5, list: [{ n: 1 }] },
      { generation: 3, labels: { "a.b/c": "x" }, managedFields: [{ manager: "m" }] },
    );
    const isTrue = (current: string) => assert.equal(judge({ current }, live).status, "Healthy", current);
    isTrue("status.n + 1 == 4 && status.n % 2 == 1 && status.n == metadata.generation");
    isTrue("status.big == 9007199254740993");
    isTrue("status.f > 1.4 && status.f < 2.0");
    isTrue("status.list.all(i, i.n == 1) && size(status.list) == 1");
    isTrue('metadata.labels["a.b/c"] == "x" && apiVersion == "example.com/v1" && kind == "Widget"');
    isTrue("!has(metadata.managedFields)");
  });

  it("reach nothing but the object's own fields", () => {
    assert.match(judge({ current: "status.constructor == null" }, aWidget({})).message, /No such key: constructor/);
    assert.match(judge({ current: "toString == null" }, aWidget({})).message, /Unknown variable: toString/);
  });

  it("tell the object's own reason when they find it not healthy", () => {
    const status = {
      phase: "Broken",
      conditions: [{ type: "Ready", status: "False", reason: "NoDisk", message: "no disk left" }],
    };
    assert.deepEqual(judge({ failed: 'status.phase == "Broken"', current: "false" }, aWidget(status)), {
      status: "Degraded",
      message: "NoDisk: no disk left",
    });
  });
});

describe("expressionProblem", () => {
  it("says in one line what is wrong, and nothing of an expression that may be right", () => {
    assert.equal(expressionProblem('status.?phase.orValue("") == "Ready"'), undefined);
    assert.equal(expressionProblem("status.ready"), undefined);
    assert.equal(expressionProblem(" "), "the expression is empty");
    assert.equal(expressionProblem('"Ready"'), "it gives a string, and has to give true or false");
    assert.equal(expressionProblem("1 + 1"), "it gives a int, and has to give true or false");
    assert.match(expressionProblem("status.phase ==") ?? "", /EOF/);
    assert.match(expressionProblem("noSuch(status)") ?? "", /noSuch/);
    for (const text of ["status.phase ==", "a b", "foo(", '"', "1 == '1'"])
      assert.doesNotMatch(expressionProblem(text) ?? "", /\n/);
    assert.match(expressionProblem(`${"(".repeat(500)}true${")".repeat(500)}`) ?? "", /./);
  });
});

const anyValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<JsonValue>(null, true, false, "", "Ready", "True", "False", "Failed", "Running", 0, 3, 1.5),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom("conditions", "type", "status", "reason", "phase", "state", "parents", "replicas", "__proto__", "x"),
      tie("value"),
      { maxKeys: 5 },
    ) as fc.Arbitrary<JsonObject>,
  ),
})).value;

describe("whatever a status holds", () => {
  it("an object gets a health, never an error", () => {
    const kinds = fc.constantFrom(
      ["example.com/v1", "Widget"],
      ["v1", "Pod"],
      ["apps/v1", "Deployment"],
      ["argoproj.io/v1alpha1", "Rollout"],
      ["gateway.solo.io/v1", "VirtualService"],
      ["postgresql.cnpg.io/v1", "Cluster"],
      ["s3.aws.upbound.io/v1", "Bucket"],
    );
    fc.assert(
      fc.property(kinds, anyValue, anyValue, ([apiVersion = "", kind = ""], spec, status) => {
        const { status: word, message } = assessHealth({ apiVersion, kind, metadata: { name: "x" }, spec, status });
        assert.match(word, /^(Healthy|Progressing|Degraded|Suspended|Missing|Unknown)$/);
        assert.equal(typeof message, "string");
      }),
      { numRuns: 500 },
    );
  });
});
