import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { corpora, corporaOnly, helperBinary } from "./helper.ts";

interface Case {
  readonly id: string;
  readonly yaml: string;
  /** What Kubernetes' own decoder makes of it; absent where that refuses it. */
  readonly documents?: readonly string[];
}

/** Read by Kubernetes, refused here: what it reads would surprise whoever wrote it, or two of the field's readers disagree. */
const refusedHereOnly = [
  "cr:map",
  "deep:200",
  "deep:5000",
  "doc:end-only",
  "doc:json-dup",
  "dup:bool",
  "dup:int",
  "dup:nested",
  "dup:simple",
  "float:key",
  "merge:order",
  "tag:js-fn",
  "tag:unknown",
];

const child = new HelperProcess({ helper: await helperBinary(), timeoutMs: 30_000, concurrency: 8, log: silentLog });
after(() => child.close());

async function decode(text: string): Promise<readonly string[] | undefined> {
  const entries = [{ path: "case.yaml", type: "file", text }] as const;
  const { objects = [], error } = await child.run({ request: { op: "decode", path: "", entries }, lookup: async () => [] });
  return error === undefined ? objects : undefined;
}

const asValues = (documents: readonly string[]): readonly string[] =>
  // Numbers as they are written: a parser would round the large ones on both sides alike.
  documents.map((text) => JSON.stringify(JSON.parse(text.replace(/(?<=[:[,])-?\d{16,}(?=[,\]}])/g, '"$&"'))));

test("a document is read as Kubernetes reads it, or refused", corporaOnly, async () => {
  const cases = JSON.parse(readFileSync(path.join(corpora ?? "", "yaml/cases.json"), "utf8")) as readonly Case[];
  const different: string[] = [];
  const accepted: string[] = [];
  const refused: string[] = [];
  for (const { id, yaml, documents } of cases) {
    const read = await decode(yaml);
    if (read === undefined) {
      if (documents !== undefined) refused.push(id);
    } else if (documents === undefined) accepted.push(id);
    else if (asValues(read).join("\n") !== asValues(documents).join("\n")) different.push(id);
  }
  assert.deepEqual(different, []);
  assert.deepEqual(accepted, []);
  assert.deepEqual(refused.sort(), refusedHereOnly);
  assert.ok(cases.length >= 171);
});
