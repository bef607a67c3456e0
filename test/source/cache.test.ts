import assert from "node:assert/strict";
import { it } from "node:test";
import * as fc from "fast-check";
import { createObjectCache } from "../../lib/source/cache.ts";

const blob = (size: number) => ({ type: "blob" as const, body: new Uint8Array(size) });

it("the body that was not used for longest goes first", () => {
  const cache = createObjectCache({ maxBytes: 3000 });
  const objects = cache.of("repository");
  objects.set("a", blob(1000));
  objects.set("b", blob(1000));
  assert.ok(objects.get("a"));
  objects.set("c", blob(1000));
  assert.ok(objects.get("a"));
  assert.equal(objects.get("b"), undefined);
  assert.ok(objects.get("c"));
});

it("an id is known in its own repository only", () => {
  const cache = createObjectCache({ maxBytes: 3000 });
  cache.of("one").set("a", blob(1));
  assert.equal(cache.of("two").get("a"), undefined);
});

it("the cache never holds more than its budget", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ oid: fc.nat(20), size: fc.nat(6000) })), (writes) => {
      const cache = createObjectCache({ maxBytes: 5000 });
      for (const { oid, size } of writes) {
        cache.of("repository").set(String(oid), blob(size));
        assert.ok(cache.bytes <= 5000);
      }
    }),
  );
});
