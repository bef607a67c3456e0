import assert from "node:assert/strict";
import { test } from "node:test";
import { sizesOf } from "../../bench/sizes.ts";

test("the larger cases grow with the fleet, and none beyond a thousand applications", () => {
  assert.deepEqual(sizesOf(100), { few: 10, stuck: 200, many: 250, most: 1000 });
  assert.deepEqual(sizesOf(1), { few: 1, stuck: 2, many: 3, most: 10 });
  assert.deepEqual(sizesOf(1000), { few: 100, stuck: 1000, many: 1000, most: 1000 });
});
