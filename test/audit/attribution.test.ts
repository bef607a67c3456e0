import assert from "node:assert/strict";
import { test } from "node:test";
import { attributionOf, isMadeBy } from "../../lib/audit/attribution.ts";
import type { Edit } from "../../lib/audit/edit.ts";
import { readEdit } from "../../lib/audit/edit.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import { aRow } from "../contracts/rows.ts";
import { anEvent, identities } from "./events.ts";

function anEdit(change: JsonObject = {}): Edit {
  const edit = readEdit(anEvent(change), identities);
  assert.ok(typeof edit !== "string", JSON.stringify(edit));
  return edit;
}

const objectRef = { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", apiVersion: "v1" };
const applied = "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=kubectl&force=true";
const written = (manager: string) => `/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=${manager}`;

/** The edit came in at 11:58:00.412; whether the row is what it made. */
const cases: readonly (readonly [title: string, edit: JsonObject, row: Partial<DriftRow>, isMade: boolean])[] = [
  ["a field by the same manager in the same second", {}, { manager: "kubectl-set" }, true],
  ["a field by another manager", {}, { manager: "kubectl-edit" }, false],
  ["a field that was written two seconds later", {}, { manager: "kubectl-set", changedAt: "2025-03-01T11:58:02Z" }, true],
  ["a field that was written long before", {}, { manager: "kubectl-set", changedAt: "2025-03-01T11:57:50Z" }, false],
  ["a field that was written again since", {}, { manager: "kubectl-set", changedAt: "2025-03-01T11:59:00Z" }, false],
  [
    "a field that was written by the end of a slow request",
    { stageTimestamp: "2025-03-01T11:58:09.000000Z" },
    { manager: "kubectl-set", changedAt: "2025-03-01T11:58:08Z" },
    true,
  ],
  ["an applied field by an apply", { requestURI: applied }, { manager: "kubectl", operation: "Apply" }, true],
  ["an updated field by an apply", { requestURI: applied }, { manager: "kubectl", operation: "Update" }, false],
  [
    "an applied field by an update",
    { verb: "update", requestURI: written("kubectl") },
    { manager: "kubectl", operation: "Apply" },
    false,
  ],
  [
    "an applied field by a patch that may be an apply",
    { requestURI: written("kubectl") },
    { manager: "kubectl", operation: "Apply" },
    true,
  ],
  [
    "replicas through scale, whose time is when they were seen",
    { requestURI: "/apis/apps/v1/namespaces/shop/deployments/web/scale", objectRef: { ...objectRef, subresource: "scale" } },
    { manager: "kubectl", changedAt: "2025-03-01T11:58:30.000Z" },
    true,
  ],
  [
    "replicas that were seen before anybody scaled",
    { requestURI: "/apis/apps/v1/namespaces/shop/deployments/web/scale", objectRef: { ...objectRef, subresource: "scale" } },
    { manager: "kubectl", firstSeen: "2025-03-01T11:50:00.000Z" },
    false,
  ],
  ["a removed field of which nobody is left", {}, { manager: "", operation: "", changedAt: "" }, true],
  ["a field by a deletion", { verb: "delete" }, { manager: "kubectl-set" }, false],
  ["a missing object by its deletion", { verb: "delete" }, { kind: "missing", field: "", manager: "" }, true],
  [
    "a missing object by the deletion of its collection",
    { verb: "deletecollection" },
    { kind: "missing", field: "", manager: "" },
    true,
  ],
  ["a missing object by a patch", {}, { kind: "missing", field: "", manager: "" }, false],
  [
    "an object that was found missing before",
    { verb: "delete" },
    { kind: "missing", field: "", manager: "", firstSeen: "2025-03-01T11:57:00.000Z" },
    false,
  ],
  [
    "an object that was found missing hours later",
    { verb: "delete" },
    { kind: "missing", field: "", manager: "", firstSeen: "2025-03-01T15:00:00.000Z" },
    false,
  ],
  ["an orphan by its creation", { verb: "create" }, { kind: "orphan", field: "", manager: "" }, true],
  ["an addition by the same manager", {}, { kind: "addition", manager: "kubectl-set" }, true],
  ["an edit that was refused", {}, { kind: "prevented", manager: "kubectl-set" }, false],
];

for (const [title, edit, row, isMade] of cases) {
  test(`${title}: ${isMade ? "this edit" : "not this edit"}`, () => {
    assert.equal(isMadeBy(anEdit(edit), aRow({ changedAt: "2025-03-01T11:58:00Z", ...row })), isMade);
  });
}

test("an attribution has user, the nearest address, user agent and time, and says break-glass only where it was", () => {
  const known = {
    user: "ada@example.org",
    sourceIp: "198.51.100.7",
    userAgent: "kubectl/v1.35.1 (linux/amd64) kubernetes/3f2c1b4",
    at: "2025-03-01T11:58:00.412Z",
  };
  assert.deepEqual(attributionOf(anEdit()), known);
  const emergency = anEdit({ annotations: { "driftless-prevent-prod/break-glass": "ada" } });
  assert.deepEqual(attributionOf(emergency), { ...known, breakGlass: true });
});
