import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isDriftlessError } from "../../lib/errors.ts";
import { createSeal } from "../../lib/store/seal.ts";
import { Secret } from "../../lib/telemetry/secret.ts";

const keyOf = (fill: number) => new Secret(Buffer.alloc(32, fill).toString("base64"));
const seal = createSeal(keyOf(1));

test("what was sealed opens again, and only with its key and context", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (bytes, context) => {
      const sealed = seal.seal(bytes, context);
      assert.deepEqual(Uint8Array.from(seal.open(sealed, context)), bytes);
      assert.throws(() => seal.open(sealed, `${context}.`), isStoreError);
      assert.throws(() => createSeal(keyOf(2)).open(sealed, context), isStoreError);
    }),
  );
});

test("sealed bytes with any bit changed, or cut anywhere, do not open", () => {
  const sealed = seal.seal(Buffer.from("password: hunter2"), "here");
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
    assert.throws(() => seal.open(changed, "here"), isStoreError, `byte ${at}`);
    assert.throws(() => seal.open(sealed.subarray(0, at), "here"), isStoreError, `cut at ${at}`);
  }
});

test("equal bytes are sealed differently each time, and named the same", () => {
  const bytes = Buffer.from("replicas: 3");
  assert.notDeepEqual(seal.seal(bytes, "here"), seal.seal(bytes, "here"));
  assert.equal(seal.digest("replicas: 3"), seal.digest("replicas: 3"));
  assert.match(seal.digest(""), /^[0-9a-f]{64}$/);
});

test("a digest tells nothing without the key", () => {
  assert.notEqual(seal.digest("hunter2"), createSeal(keyOf(2)).digest("hunter2"));
});

test("a key of another length is refused without being shown", () => {
  for (const key of ["", "c2hvcnQ=", Buffer.alloc(33).toString("base64")]) {
    assert.throws(
      () => createSeal(new Secret(key)),
      (error) => isDriftlessError(error, "config") && (key === "" || !error.message.includes(key)),
    );
  }
});

function isStoreError(error: unknown): boolean {
  return isDriftlessError(error, "store") && !error.retryable;
}
