import assert from "node:assert/strict";
import { test } from "node:test";
import { openedFor } from "../../../lib/sync/batch/opened-for.ts";
import { batchesOf } from "../../../lib/sync/runs.ts";
import { anApplication, aState } from "../../contracts/rows.ts";

const commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const desired = { generation: 1, revision: commit, snapshot: "s1", plannedAt: "" };
const inProject = (application: string, project: string) =>
  aState({ application, definition: anApplication({ name: application, project }), desired });
const started = (...states: readonly ReturnType<typeof inProject>[]) =>
  batchesOf(states, { trigger: "push", correlationId: "c1" });

test("a session names the application and the commit, or the project where a batch has several", () => {
  assert.deepEqual(started(inProject("shop", "team-a")).map(openedFor), [{ project: "team-a", session: "shop-6dcb09b" }]);
  assert.deepEqual(started(inProject("shop", "team-a"), inProject("till", "team-a")).map(openedFor), [
    { project: "team-a", session: "team-a-6dcb09b" },
  ]);
});

test("applications of two projects are never in one batch; rows that name no project are of the default one", () => {
  const { project: _none, ...older } = anApplication({ name: "old" });
  const state = aState({ application: "old", definition: older as ReturnType<typeof anApplication>, desired });
  const batches = started(inProject("shop", "team-a"), inProject("till", "team-b"), inProject("new", "default"), state);
  assert.deepEqual(
    batches.map(({ project, applications }) => [project, applications.map(({ name }) => name)]),
    [
      ["team-a", ["shop"]],
      ["team-b", ["till"]],
      ["default", ["new", "old"]],
    ],
  );
  const { project: _older, ...batch } = batches[2] as (typeof batches)[number];
  assert.equal(openedFor(batch as (typeof batches)[number]).project, "default");
});
