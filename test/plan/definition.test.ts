import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Application } from "../../lib/model/application.ts";
import { definitionText, isSameDefinition, withPolicies } from "../../lib/plan/definition.ts";
import { anApplication, aSyncPolicy } from "../contracts/rows.ts";

const decides: readonly (readonly [string, Partial<Application>])[] = [
  ["sources", { sources: [] }],
  ["cluster", { cluster: "us" }],
  ["namespace", { namespace: "other" }],
  ["sync.prune", { sync: aSyncPolicy({ prune: false }) }],
  ["sync.allowEmpty", { sync: aSyncPolicy({ allowEmpty: true }) }],
  ["sync.conflicts", { sync: aSyncPolicy({ conflicts: "fail" }) }],
  ["sync.createNamespace", { sync: aSyncPolicy({ createNamespace: true }) }],
  ["sync.timeout", { sync: aSyncPolicy({ timeout: 301 }) }],
  ["sync.hookTimeout", { sync: aSyncPolicy({ hookTimeout: 60 }) }],
];

const policies: readonly (readonly [string, Partial<Application>])[] = [
  ["sync.mode", { sync: aSyncPolicy({ mode: "manual" }) }],
  ["sync.retry", { sync: aSyncPolicy({ retry: { limit: 1, backoff: { duration: 1, factor: 1, maxDuration: 1 } } }) }],
  ["drift", { drift: "report" }],
  ["drift by prevention", { drift: "prevent" }],
  ["additions", { additions: "drift" }],
  [
    "ignoreDifferences",
    {
      ignoreDifferences: [
        {
          group: "apps",
          kind: "Deployment",
          name: "",
          namespace: "",
          jsonPointers: ["/spec/replicas"],
          jqPathExpressions: [],
          managedFieldsManagers: [],
        },
      ],
    },
  ],
  ["dependsOn", { dependsOn: ["database"] }],
  ["rollback", { rollback: "auto" }],
  ["syncWindows", { syncWindows: [{ kind: "deny", schedule: "0 0 * * *", duration: 60, timeZone: "UTC" }] }],
  ["suspend", { suspend: { owner: "alice", reason: "why", until: "" } }],
];

describe("definitionText", () => {
  it("is the same whatever the order of keys", () => {
    const reordered = Object.fromEntries(Object.entries(anApplication()).toReversed()) as unknown as Application;
    assert.equal(definitionText(reordered), definitionText(anApplication()));
  });

  for (const [key, change] of decides) {
    it(`is another with another ${key}, so that the application is planned and synced again`, () => {
      assert.notEqual(definitionText(anApplication(change)), definitionText(anApplication()));
    });
  }

  for (const [key, change] of policies) {
    it(`is the same with another ${key}, which renders nothing and starts no sync`, () => {
      assert.equal(definitionText(anApplication(change)), definitionText(anApplication()));
      assert.equal(isSameDefinition(anApplication(change), anApplication()), false);
    });
  }
});

describe("withPolicies", () => {
  for (const [key, change] of policies) {
    it(`takes over ${key}, also when it is gone again`, () => {
      assert.deepEqual(withPolicies(anApplication(), anApplication(change)), anApplication(change));
      assert.deepEqual(withPolicies(anApplication(change), anApplication()), anApplication());
    });
  }

  it("takes over nothing that a sync comes from", () => {
    for (const [, change] of decides) assert.deepEqual(withPolicies(anApplication(), anApplication(change)), anApplication());
  });
});
