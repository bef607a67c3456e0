import assert from "node:assert/strict";
import { test } from "node:test";
import type { Edit } from "../../../lib/audit/edit.ts";
import { readLogPayload } from "../../../lib/audit/log-payload.ts";
import { targetsOf } from "../../../lib/sync/audit/targets.ts";
import { anEvent, aPayload, identities } from "../../audit/events.ts";

/** Edits of Deployments, one a millisecond. */
function edits(count: number, nameOf: (index: number) => string): readonly Edit[] {
  const events = Array.from({ length: count }, (_, index) =>
    anEvent({
      auditID: `edit-${index}`,
      objectRef: { resource: "deployments", namespace: "shop", name: nameOf(index), apiGroup: "apps", apiVersion: "v1" },
      requestReceivedTimestamp: new Date(1_740_830_280_000 + index).toISOString(),
    }),
  );
  return readLogPayload(aPayload(events), identities).edits;
}

test("ten thousand edits of one object are one look, and the newest ten are asked who made what", () => {
  const { taken, left } = targetsOf(edits(10_000, () => "web"));
  assert.equal(left, 0);
  assert.deepEqual(
    taken.map(({ name, edits: all }) => [name, all.length, all[0]?.id, all.at(-1)?.id]),
    [["web", 10, "edit-9999", "edit-9990"]],
  );
});

test("of ten thousand edited objects the newest two hundred are looked at, and the rest is told of", () => {
  const { taken, left } = targetsOf(edits(10_000, (index) => `web-${index}`));
  assert.deepEqual([taken.length, left, taken[0]?.name], [200, 9800, "web-9999"]);
});

test("an object that is edited by two versions or subresources of its API is one", () => {
  const events = [
    anEvent({ objectRef: { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", apiVersion: "v1beta2" } }),
    anEvent({ objectRef: { resource: "deployments", namespace: "shop", name: "web", apiGroup: "apps", subresource: "scale" } }),
  ];
  assert.equal(targetsOf(readLogPayload(aPayload(events), identities).edits).taken.length, 1);
});

test("what is created under a name that the server makes up is nobody's", () => {
  const created = anEvent({ verb: "create", objectRef: { resource: "pods", namespace: "shop", apiVersion: "v1" } });
  assert.deepEqual(targetsOf(readLogPayload(aPayload([created]), identities).edits), { taken: [], left: 0 });
});
