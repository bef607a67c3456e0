import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../../lib/model/json.ts";
import { fileEntry, framed } from "../../lib/render/helper-protocol.ts";
import { decoder } from "./decode.ts";

const { decodeValue } = await decoder();

test("a long file arrives as it is, whatever its characters, and the file after it too", async () => {
  const text = "é😀\u00a0\\u0041\"'".repeat(20_000);
  const [long = ""] = await decodeValue(`v: |\n  ${text}\n  last\n`);
  assert.deepEqual(parseJson(long), { v: `${text}\nlast\n` });
  assert.deepEqual(await decodeValue("a: 1\n"), ['{"a":1}']);
});

test("only long texts stand behind the line", () => {
  const entry = (path: string, length: number) => fileEntry({ path, content: Buffer.from("é".repeat(length)) });
  const message = { id: 1, entries: [entry("a", 1), entry("b", 70_000)], valueFiles: [entry("c", 65_536)] };
  const [line = "", ...contents] = framed(message);
  assert.deepEqual(JSON.parse(String(line)), {
    id: 1,
    entries: [
      { path: "a", type: "file", text: "é" },
      { path: "b", type: "file", attached: 1 },
    ],
    valueFiles: [{ path: "c", type: "file", attached: 2 }],
    attached: [140_000, 131_072],
  });
  assert.deepEqual(
    contents.map((content) => content.length),
    [140_000, 131_072],
  );
});
