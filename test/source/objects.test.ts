import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { isDriftlessError } from "../../lib/errors.ts";
import { objectId, subtreeIds, treeEntries } from "../../lib/source/objects.ts";

const tree = "a".repeat(40);
const entry = (mode: string, name: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.alloc(20, 0xbb)]);

describe("Git objects", () => {
  it("ids are those of Git", () => {
    assert.equal(objectId({ type: "blob", body: Buffer.from("hello\n") }), "ce013625030ba8dba906f756967f9e9ca394464a");
    assert.equal(objectId({ type: "tree", body: new Uint8Array() }), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  });

  it("C1: a name that could leave its folder is refused, whatever the server sends", () => {
    const names = ["..", ".", "", ".git", ".GIT", "a/b", "a\\b", "..\\..", "/etc", "x".repeat(256), Buffer.from([0x61, 0xff])];
    for (const name of names) {
      assert.throws(
        () => treeEntries(tree, entry("100644", name)),
        (error) => isDriftlessError(error, "source"),
        String(name),
      );
    }
  });

  it("a name that stands twice, and an unknown mode, are refused", () => {
    assert.throws(() => treeEntries(tree, Buffer.concat([entry("100644", "a"), entry("120000", "a")])), /stands there twice/);
    assert.throws(() => treeEntries(tree, entry("170000", "a")), /unknown mode/);
  });

  it("folders are found without judging the names beside them", () => {
    const body = Buffer.concat([
      entry("100644", "a\\b"),
      entry("40000", "folder"),
      entry("160000", "module"),
      entry("120000", "link"),
    ]);
    assert.deepEqual(subtreeIds(tree, body), ["bb".repeat(20)]);
  });

  it("any bytes give entries or a source error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          treeEntries(tree, bytes);
        } catch (error) {
          assert.ok(isDriftlessError(error, "source"), String(error));
        }
      }),
    );
  });
});
