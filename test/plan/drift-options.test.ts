import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { IgnoreDifference } from "../../lib/model/application.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { driftOptionsOf, isHealing } from "../../lib/plan/drift-options.ts";
import { ignoredFields } from "../../lib/plan/ignored-differences.ts";

const anObject = (annotations?: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "shop", ...(annotations === undefined ? {} : { annotations }) },
});
const application = { drift: "heal", additions: "report" } as const;

suite("policies of one object", () => {
  const told: readonly (readonly [Readonly<Record<string, string>>, string, string])[] = [
    [{}, "heal", "report"],
    [{ "driftless.dev/drift": "report" }, "report", "report"],
    [{ "driftless.dev/drift": " Ignore " }, "ignore", "report"],
    [{ "driftless.dev/drift": "prevent", "driftless.dev/additions": "drift" }, "prevent", "drift"],
    [{ "driftless.dev/additions": "ignore" }, "heal", "ignore"],
    [{ "driftless.dev/additions": "drift", "kustomize.toolkit.fluxcd.io/ssa": "Merge" }, "heal", "report"],
  ];
  for (const [annotations, drift, additions] of told) {
    test(`${JSON.stringify(annotations)} asks for ${drift}, and ${additions} of additions`, () => {
      assert.deepEqual(driftOptionsOf(anObject(annotations), application), { drift, additions, problems: [] });
    });
  }

  test("a word that has no meaning is told, and the application's counts", () => {
    const options = driftOptionsOf(anObject({ "driftless.dev/additions": "remove" }), { drift: "report", additions: "ignore" });
    assert.deepEqual(options, {
      drift: "report",
      additions: "ignore",
      problems: [
        'ConfigMap shop/a: annotation driftless.dev/additions: "remove" has no meaning, so it is left out; write ignore, report or drift',
      ],
    });
  });

  test("an object that Git has no more keeps to its application", () => {
    assert.deepEqual(driftOptionsOf(undefined, { drift: "prevent", additions: "drift" }), {
      drift: "prevent",
      additions: "drift",
      problems: [],
    });
  });

  test("heal and prevent put right, report and ignore do not", () => {
    assert.deepEqual(
      (["heal", "prevent", "report", "ignore"] as const).map((drift) => isHealing({ drift })),
      [true, true, false, false],
    );
  });
});

suite("rules of fields that are ignored", () => {
  const ref = { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" };
  const rule = (match: Partial<IgnoreDifference>): IgnoreDifference => ({
    group: "apps",
    kind: "Deployment",
    name: "",
    namespace: "",
    jsonPointers: ["/spec/replicas"],
    jqPathExpressions: [],
    managedFieldsManagers: [],
    ...match,
  });
  const matches: readonly (readonly [Partial<IgnoreDifference>, boolean])[] = [
    [{}, true],
    [{ group: "" }, false],
    [{ group: "*", kind: "*" }, true],
    [{ kind: "Deploy*" }, true],
    [{ kind: "*Set" }, false],
    [{ group: "a*p*s" }, true],
    [{ group: "appsapps*" }, false],
    [{ kind: "deployment" }, false],
    [{ name: "web" }, true],
    [{ name: "w*" }, false],
    [{ namespace: "shop", name: "web" }, true],
    [{ namespace: "other" }, false],
  ];
  for (const [match, isFor] of matches) {
    test(`a rule for ${JSON.stringify(match)} ${isFor ? "is" : "is not"} for the Deployment shop/web`, () => {
      assert.equal(ignoredFields(ref, [rule(match)]) !== undefined, isFor);
    });
  }

  test("what several rules and fights leave to others is put together", () => {
    const fields = ignoredFields(
      ref,
      [
        rule({}),
        rule({ jsonPointers: [], managedFieldsManagers: ["vpa"] }),
        rule({ jsonPointers: [], jqPathExpressions: [".spec.paused"] }),
      ],
      ["spec.minReadySeconds"],
    );
    assert.deepEqual(
      [fields?.pointers, [...(fields?.managers ?? [])], fields?.expressions.length, fields?.paths],
      [["/spec/replicas"], ["vpa"], 1, ["spec.minReadySeconds"]],
    );
  });
});
