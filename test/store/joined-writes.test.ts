import assert from "node:assert/strict";
import { test } from "node:test";
import { DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createJoinedWrites } from "../../lib/store/joined-writes.ts";

/** Writes to a table that refuses what is `bad`, alone or together; `most` is what it gets to in one request. */
function aTable({ most = 25, fault }: { readonly most?: number; readonly fault?: DriftlessError } = {}) {
  const requests: string[][] = [];
  const rows = new Map<string, unknown>();
  const refusal = new DriftlessError("store", "too large");
  const put = createJoinedWrites({
    async one(item) {
      requests.push([item.pk]);
      if (item.pk === "bad") throw refusal;
      rows.set(item.pk, item["value"]);
    },
    async many(items) {
      requests.push(items.map(({ pk }) => pk));
      if (fault !== undefined) throw fault;
      if (items.some(({ pk }) => pk === "bad")) throw refusal;
      for (const item of items.slice(0, most)) rows.set(item.pk, item["value"]);
      return items.slice(most);
    },
  });
  return { requests, rows, put: (pk: string, value = 0, options = {}) => put({ pk, sk: "row", value }, options) };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `row-${index}`);

test("writes of one moment are one request, at most 25 in each", async () => {
  const { put, rows, requests } = aTable();
  await Promise.all(names(60).map((name) => put(name)));
  assert.deepEqual(
    requests.map(({ length }) => length),
    [25, 25, 10],
  );
  assert.deepEqual([...rows.keys()].toSorted(), names(60).toSorted());
  await put("alone");
  assert.deepEqual(requests[3], ["alone"]);
});

test("what the table did not get to is written again", async () => {
  const { put, rows, requests } = aTable({ most: 2 });
  await Promise.all(names(5).map((name) => put(name)));
  assert.deepEqual(
    requests.map(({ length }) => length),
    [5, 3, 1],
  );
  assert.equal(rows.size, 5);
});

test("a write that is refused fails alone", async () => {
  const { put, rows } = aTable();
  const [first, bad, second] = await Promise.allSettled(["row-1", "bad", "row-2"].map((name) => put(name)));
  assert.deepEqual([first?.status, bad?.status, second?.status], ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual([...rows.keys()], ["row-1", "row-2"]);
});

test("a table that is away fails every write of the request, and none is tried alone", async () => {
  const { put, requests } = aTable({ fault: new DriftlessError("store", "away", { retryable: true }) });
  for (const { status, ...end } of await Promise.allSettled(names(3).map((name) => put(name)))) {
    assert.equal(status, "rejected");
    assert.ok("reason" in end && isDriftlessError(end.reason, "store") && end.reason.retryable);
  }
  assert.equal(requests.length, 1);
});

test("of two writes of one row the later stands", async () => {
  const { put, rows } = aTable();
  await Promise.all([put("row", 1), put("other", 1), put("row", 2)]);
  assert.deepEqual(Object.fromEntries(rows), { row: 2, other: 1 });
});

test("while two requests are under way, what is asked for waits for one of them, and goes out together", async () => {
  const requests: (() => void)[] = [];
  const sizes: number[] = [];
  const send = (size: number) => {
    sizes.push(size);
    return new Promise<void>((resolve) => requests.push(resolve));
  };
  const put = createJoinedWrites({
    one: () => send(1),
    many: (items) => send(items.length).then(() => []),
  });
  const writes: Promise<void>[] = [];
  for (const name of names(6)) {
    writes.push(put({ pk: name, sk: "row" }));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  assert.deepEqual(sizes, [1, 1]);
  requests[0]?.();
  await writes[0];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.deepEqual(sizes, [1, 1, 4]);
  for (const end of requests) end();
  await Promise.all(writes);
});
