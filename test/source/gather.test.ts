import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createGatherer } from "../../lib/source/gather.ts";

const found = (ids: readonly string[]): ReadonlyMap<string, string> => new Map(ids.map((id) => [id, `body of ${id}`]));

describe("blobs that are asked for together", () => {
  test("come in one fetch, and those asked for meanwhile in the next one", async () => {
    const fetches: (readonly string[])[] = [];
    const gather = createGatherer(async (ids) => {
      fetches.push(ids);
      if (fetches.length === 1) later.push(gather(["d"], {}), gather(["e"], {}));
      return found(ids);
    });
    const later: Promise<ReadonlyMap<string, string>>[] = [];
    const [first] = await Promise.all([gather(["a"], {}), gather(["b", "a"], {}), gather(["c"], {})]);
    await Promise.all(later);
    assert.deepEqual(fetches, [
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    assert.equal(first?.get("a"), "body of a");
  });

  test("fail alone: the others fetch their own", async () => {
    const gather = createGatherer(async (ids) => {
      if (ids.includes("bad")) throw new Error("no such object");
      return found(ids);
    });
    const [good, bad] = await Promise.allSettled([gather(["good"], {}), gather(["bad"], {})]);
    assert.equal(good.status, "fulfilled");
    assert.equal(bad.status, "rejected");
  });

  test("are not lost to the others when one caller gives up", async () => {
    const controller = new AbortController();
    const gather = createGatherer(async (ids) => {
      controller.abort(new Error("the function ends"));
      return found(ids);
    });
    const [stays, leaves] = await Promise.allSettled([gather(["a"], {}), gather(["b"], { signal: controller.signal })]);
    assert.equal(stays.status, "fulfilled");
    assert.equal(leaves.status, "rejected");
  });
});
