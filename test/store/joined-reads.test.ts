import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { createJoinedReads } from "../../lib/store/joined-reads.ts";
import type { Key } from "../../lib/store/key.ts";

const keyOf = (name: string): Key => ({ pk: name, sk: "row" });

/** Reads of a table that has a row for each name that begins with `there`; `most` is what it gets to in one request. */
function aTable({ most = 100 }: { readonly most?: number } = {}) {
  const requests: string[][] = [];
  const item = ({ pk, sk }: Key) => (pk.startsWith("there") ? { pk, sk, body: `of ${pk}` } : undefined);
  const get = createJoinedReads({
    one: (key) => {
      requests.push([key.pk]);
      return Promise.resolve(item(key));
    },
    many: (keys) => {
      requests.push(keys.map(({ pk }) => pk));
      const items = keys.slice(0, most).flatMap((key) => item(key) ?? []);
      return Promise.resolve({ items, left: keys.slice(most) });
    },
  });
  return { get, requests };
}

test("reads of one moment are one request, each gets its own row, and what is not there is undefined", async () => {
  const { get, requests } = aTable();
  const rows = await Promise.all(["there-1", "gone", "there-2", "there-1"].map((name) => get(keyOf(name))));
  assert.deepEqual(
    rows.map((row) => row?.["body"]),
    ["of there-1", undefined, "of there-2", "of there-1"],
  );
  assert.deepEqual(requests, [["there-1", "gone", "there-2"]]);
  assert.equal((await get(keyOf("there-3")))?.["body"], "of there-3");
  assert.deepEqual(requests[1], ["there-3"]);
});

test("more than a hundred are several requests", async () => {
  const { get, requests } = aTable();
  const rows = await Promise.all(Array.from({ length: 250 }, (_, index) => get(keyOf(`there-${index}`))));
  assert.equal(
    rows.every((row, index) => row?.["body"] === `of there-${index}`),
    true,
  );
  assert.deepEqual(
    requests.map(({ length }) => length),
    [100, 100, 50],
  );
});

test("what the table did not get to is asked for again, and not for ever", async () => {
  const { get } = aTable({ most: 2 });
  const rows = await Promise.all(Array.from({ length: 5 }, (_, index) => get(keyOf(`there-${index}`))));
  assert.equal(
    rows.every((row) => row !== undefined),
    true,
  );
  const stuck = aTable({ most: 0 });
  const asked = ["there-1", "there-2"].map((name) => stuck.get(keyOf(name)));
  for (const answer of await Promise.allSettled(asked)) {
    assert.equal(answer.status, "rejected");
    assert.equal(isDriftlessError(answer.reason, "store") && answer.reason.retryable, true);
  }
});

test("a failure is that of all who asked with it, and of nobody after", async () => {
  let fails = true;
  const get = createJoinedReads({
    one: (key) => Promise.resolve({ ...key }),
    many: () => (fails ? Promise.reject(new Error("away")) : Promise.resolve({ items: [], left: [] })),
  });
  const answers = await Promise.allSettled([get(keyOf("a")), get(keyOf("b"))]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  fails = false;
  assert.deepEqual(await Promise.all([get(keyOf("a")), get(keyOf("b"))]), [undefined, undefined]);
});
