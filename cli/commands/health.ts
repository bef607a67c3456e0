import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { DriftlessError } from "../../lib/errors.ts";
import { assessHealth } from "../../lib/health/health.ts";
import { isJsonObject, type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { displayRef, isManifest, type Manifest, refOf } from "../../lib/model/resource.ts";
import type { Command } from "../command.ts";
import { textTable } from "../table.ts";

export const health: Command = {
  usage: "health FILE",
  summary: "the health of live objects in a file (`kubectl get ... -o yaml`); - reads standard input",
  help: "\nExit status 1 when an object is Degraded, Missing or Unknown.\n",
  options: {},
  positionals: { least: 1, most: 1 },
  async run({ positionals: [file = ""] }) {
    const objects = parseObjects(await readText(file), file);
    const results = objects.map((object) => ({ object: displayRef(refOf(object)), ...assessHealth(object) }));
    const bad = results.some(({ status }) => status === "Degraded" || status === "Missing" || status === "Unknown");
    const rows = results.map(({ object, status, message }) => [object, status, message]);
    return {
      text: textTable(["OBJECT", "HEALTH", "MESSAGE"], rows, { empty: "no objects" }),
      json: stringifyJson(results),
      status: bad ? 1 : 0,
    };
  },
};

async function readText(file: string): Promise<string> {
  try {
    return file === "-" ? await readStream(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    throw new DriftlessError("not-found", `${file} cannot be read`, { cause });
  }
}

function parseObjects(text: string, file: string): readonly Manifest[] {
  const documents = parseAllDocuments(text, { version: "1.1", merge: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new DriftlessError("config", `${file}: ${error.message}`);
    return unwrap(document.toJS() as JsonValue, file);
  });
}

function unwrap(value: JsonValue, file: string): readonly Manifest[] {
  if (value === null) return [];
  if (isJsonObject(value) && Array.isArray(value["items"]))
    return value["items"].flatMap((item: JsonValue) => unwrap(item, file));
  if (isManifest(value)) return [value];
  throw new DriftlessError(
    "config",
    `${file} holds something that is no Kubernetes object: it has no apiVersion, kind or metadata.name`,
  );
}
