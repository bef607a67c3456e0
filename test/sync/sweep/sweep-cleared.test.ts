import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectMeta } from "../../../lib/model/resource.ts";
import { isAsKnown } from "../../../lib/sync/sweep/sweep-cleared.ts";
import { anEntry } from "../../contracts/rows.ts";

/** Metadata whose managed fields nobody may read. */
function sealed(change: Partial<ObjectMeta>): ObjectMeta {
  const metadata = { name: "web", uid: "u1", resourceVersion: "7", ...change };
  return Object.defineProperty(metadata, "managedFields", {
    get: () => {
      throw new Error("the managed fields were read");
    },
  });
}

const entry = { ...anEntry(1), uid: "u1", resourceVersion: "7" };
const cleared = { applied: "7", uid: "u1", resourceVersion: "9", appliedAt: "", fingerprint: "", foreign: "f" };

test("an object at the version of its last apply is cleared without a look at its managed fields", () => {
  assert.equal(isAsKnown(entry, sealed({}), undefined), true);
  assert.throws(() => isAsKnown(entry, sealed({ resourceVersion: "8" }), undefined), /were read/);
});

test("so is one at the version at which it was found to be as it should, until it is applied again", () => {
  assert.equal(isAsKnown(entry, sealed({ resourceVersion: "9" }), cleared), true);
  assert.throws(() => isAsKnown({ ...entry, resourceVersion: "8" }, sealed({ resourceVersion: "9" }), cleared), /were read/);
});

test("what was cleared by its version alone is suspect at any other", () => {
  const metadata = { name: "web", uid: "u1", resourceVersion: "10", managedFields: [] };
  assert.equal(isAsKnown(entry, metadata, cleared), false);
});
