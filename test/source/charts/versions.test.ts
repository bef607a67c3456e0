import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { nearestVersions } from "../../../lib/source/charts/versions.ts";

test("the nearest versions are those next to the wanted one, newest first", () => {
  const existing = ["1.0.0", "1.1.0", "1.2.0", "1.10.0", "1.9.0", "2.0.0", "2.1.0", "latest", "sha-12ab"];
  assert.deepEqual(nearestVersions("1.2.5", existing), ["1.10.0", "1.9.0", "1.2.0", "1.1.0", "1.0.0"]);
  assert.deepEqual(nearestVersions("9.0.0", existing), ["2.1.0", "2.0.0", "1.10.0", "1.9.0", "1.2.0"]);
  assert.deepEqual(nearestVersions("0.1.0", existing), ["1.10.0", "1.9.0", "1.2.0", "1.1.0", "1.0.0"]);
  assert.deepEqual(nearestVersions("1.0.0", ["2.0.0", "v1.0.0"]), ["2.0.0", "v1.0.0"]);
  assert.deepEqual(nearestVersions("1.0.0", []), []);
});

// The order that https://semver.org/#spec-item-11 gives as its example.
test("prereleases stand in the order of semantic versions", () => {
  const ordered = [
    "1.0.0",
    "1.0.0-rc.1",
    "1.0.0-beta.11",
    "1.0.0-beta.2",
    "1.0.0-beta",
    "1.0.0-alpha.beta",
    "1.0.0-alpha.1",
    "1.0.0-alpha",
  ];
  assert.deepEqual(nearestVersions("1.0.0-beta.2", ordered.toReversed()), ordered.slice(1, 6));
  assert.deepEqual(nearestVersions("0.1.0", ordered.slice(3)), ordered.slice(3));
});

test("never more than five, each of them existing, whatever is there", () => {
  const version = fc.stringMatching(/^v?\d{1,3}\.\d{1,3}\.\d{1,3}(-[0-9a-z.-]{1,6})?(\+[a-z]{1,3})?$/);
  fc.assert(
    fc.property(version, fc.array(fc.oneof(version, fc.string())), (wanted, existing) => {
      const near = nearestVersions(wanted, existing);
      assert.ok(near.length <= 5);
      for (const one of near) assert.ok(existing.includes(one));
    }),
  );
});
