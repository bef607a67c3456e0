import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { planText } from "../../cli/commands/plan.ts";
import type { PlannedAction, PlannedChange, SyncPreview } from "../../lib/model/plan.ts";

const aChange = (action: PlannedAction, name: string, more: Partial<PlannedChange> = {}): PlannedChange => ({
  action,
  ref: { group: "", version: "v1", kind: "ConfigMap", namespace: "shop", name },
  fields: [],
  reason: "",
  ...more,
});

const aPreview = (change: Partial<SyncPreview> = {}): SyncPreview => ({
  application: "shop",
  cluster: "eu",
  revision: "6dcb09b5b57875f334f61aebed695e2e4193db5e",
  snapshot: "s1",
  hash: "0123456789abcdef",
  prune: "p",
  changes: [],
  unchanged: 3,
  blocked: "",
  warnings: [],
  ...change,
});

suite("driftless plan prints", () => {
  test("each change with its mark, and each field with what it is, what it becomes and who loses it", () => {
    const fields = [
      { path: "data.key", from: "1", to: "2", manager: "" },
      { path: "spec.replicas", from: 5, to: 1, manager: "kubectl-scale" },
      { path: "data.text", from: "two words", to: "[secret]", manager: "" },
      { path: "data.gone", from: "true", manager: "" },
      { path: "spec.selector", to: { app: "web" }, manager: "" },
    ];
    const changes = [
      aChange("hook", "migrate", { reason: "PreSync" }),
      aChange("create", "a", { reason: "2 keys" }),
      aChange("change", "b", { fields }),
      aChange("recreate", "c"),
      aChange("fail", "d", { reason: "it is\nbroken" }),
      aChange("keep", "e", { reason: "it asks for it" }),
      aChange("delete", "f"),
    ];
    assert.equal(
      planText(aPreview({ changes, warnings: ["it waits: an approval"], blocked: "too many", needsApproval: true })),
      `shop in eu at 6dcb09b
Note: it waits: an approval

> hook     ConfigMap shop/migrate: PreSync
+ create   ConfigMap shop/a: 2 keys
~ change   ConfigMap shop/b
             data.key: "1" -> "2"
             spec.replicas: 5 -> 1 (owned by kubectl-scale)
             data.text: two words -> "[secret]"
             data.gone: "true" -> -
             spec.selector: - -> {"app":"web"}
! recreate ConfigMap shop/c
x refused  ConfigMap shop/d: it is | broken
= keep     ConfigMap shop/e: it asks for it
- delete   ConfigMap shop/f

1 to create, 1 to change, 1 to delete, 3 unchanged, 1 to recreate, 1 to run, 1 kept, 1 refused
Blocked: too many
Hash 0123456789abcdef. To let it be synced: driftless approve shop 0123456789abcdef
`,
    );
  });

  test("that nothing is to do, in two lines", () => {
    assert.equal(
      planText(aPreview()),
      "shop in eu at 6dcb09b\n\n0 to create, 0 to change, 0 to delete, 3 unchanged\nHash 0123456789abcdef\n",
    );
  });

  test("no control character of an object", () => {
    assert.ok(!planText(aPreview({ changes: [aChange("fail", "a", { reason: "\u001b[2J" })] })).includes("\u001b"));
  });
});
