import assert from "node:assert/strict";
import { after } from "node:test";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import { fileEntry } from "../../lib/render/helper-protocol.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import type { Reading } from "../../scripts/yaml-cases.ts";
import { helperBinary } from "./helper.ts";

/** Reads texts with the real helper, which ends when the tests of the calling file are through. */
export interface Decoder {
  /** What became of a file `case.yaml`. */
  readonly decode: (text: string) => Promise<Reading>;
  /** The documents, each as JSON text; fails when the file is refused. */
  readonly decodeValue: (text: string) => Promise<readonly string[]>;
}

export async function decoder(): Promise<Decoder> {
  const child = new HelperProcess({ helper: await helperBinary(), timeoutMs: 30_000, concurrency: 8, log: silentLog });
  after(() => child.close());
  const decode = async (text: string): Promise<Reading> => {
    const entries = [fileEntry({ path: "case.yaml", content: Buffer.from(text) })];
    const { objects = [], error } = await child.run({ request: { op: "decode", path: "", entries }, lookup: async () => [] });
    return error === undefined
      ? { documents: objects }
      : { refusal: `${error.file ?? ""}:${error.line ?? ""}: ${error.message}` };
  };
  return {
    decode,
    decodeValue: async (text) => {
      const reading = await decode(text);
      assert.ok("documents" in reading, "refusal" in reading ? reading.refusal : "");
      return reading.documents;
    },
  };
}
