import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { DriftlessError, messageOf } from "../lib/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/model/json.ts";
import type { Manifest } from "../lib/model/resource.ts";

/** A live object, and the health that others give it. */
export interface HealthCase {
  /** The folder of its kind: `cert-manager.io/Certificate`. */
  readonly kind: string;
  /** The object's file, from that folder. */
  readonly input: string;
  readonly expected: string;
  readonly live: Manifest;
}

/** Reads a folder of the form `GROUP/KIND/expected.yaml`, in order of their names; throws `config` with the file that cannot be read. */
export function readHealthCases(root: string): readonly HealthCase[] {
  const files = globSync("*/*/expected.yaml", { cwd: root }).sort();
  if (files.length === 0) throw new DriftlessError("config", `${root}: it holds no file GROUP/KIND/expected.yaml`);
  return files.flatMap((file) => {
    const kind = path.dirname(file);
    const tests = reading(path.join(root, file), (text) => testsOf(parse(text) as unknown));
    return tests.map(({ inputPath, expected }) => ({
      kind,
      input: inputPath,
      expected,
      live: reading(path.join(root, kind, inputPath), firstObject),
    }));
  });
}

interface Test {
  readonly inputPath: string;
  readonly expected: string;
}

/** `tests: [{ inputPath, expected }]`; a file without any is one whose kind has no test yet. */
function testsOf(value: unknown): readonly Test[] {
  const tests = isJsonObject(value) ? (value["tests"] ?? []) : undefined;
  if (!Array.isArray(tests)) throw new Error("it has no list `tests`");
  return tests.map((each: unknown, index) => {
    const { inputPath, expected } = isJsonObject(each) ? each : ({} as JsonObject);
    if (typeof inputPath === "string" && typeof expected === "string") return { inputPath, expected };
    throw new Error(`test ${index + 1} has no texts \`inputPath\` and \`expected\``);
  });
}

/** As lenient as the field: an input may have more documents, or a key twice, or an object without metadata. */
function firstObject(text: string): Manifest {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  const live: unknown = Array.isArray(documents) ? documents[0]?.toJS() : undefined;
  if (!isJsonObject(live) || typeof live["apiVersion"] !== "string" || typeof live["kind"] !== "string")
    throw new Error("it is no object with `apiVersion` and `kind`");
  return { metadata: { name: "" }, ...live } as unknown as Manifest;
}

function reading<Value>(file: string, read: (text: string) => Value): Value {
  try {
    return read(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new DriftlessError("config", `${file}: ${messageOf(cause)}`, { cause });
  }
}
