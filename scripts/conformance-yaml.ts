import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { ensureRenderHelper } from "../cli/local/binaries.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../lib/errors.ts";
import { HelperProcess } from "../lib/render/helper-process.ts";
import { fileEntry } from "../lib/render/helper-protocol.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import { judge, parseCases, type Reading, type Verdict, type YamlCase } from "./yaml-cases.ts";

const usage = `npm run --silent conformance:yaml -- FILE

Reads every document of a file of cases with the render helper and compares it with what Kubernetes' own decoder makes of it.
FILE is a JSON list of {"id", "yaml", "documents": [JSON text, ...]}, or {"id", "yaml", "error": true} where Kubernetes refuses it.
A line is printed for each case that is refused here only, and for each that is read differently without a word (silent).
Exit status: 0 when nothing is silent, 1 when something is, 2 when the cases cannot be read.
`;

const secondsForOne = 60;

async function main(args: readonly string[]): Promise<number> {
  const [file] = args;
  if (file === "--help" || file === "-h") {
    process.stdout.write(usage);
    return 0;
  }
  if (file === undefined || args.length > 1 || file.startsWith("-")) {
    process.stderr.write(usage);
    return 2;
  }
  const cases = await readCases(file);
  const verdicts = await judgeAll(cases);
  for (const [index, { id }] of cases.entries()) {
    const found = verdicts[index];
    if (found !== undefined && found.verdict !== "same")
      process.stdout.write(`${found.verdict}  ${oneLine(id)}  ${oneLine(found.reason)}\n`);
  }
  const count = (wanted: Verdict["verdict"]): number => verdicts.filter(({ verdict }) => verdict === wanted).length;
  process.stdout.write(`${count("same")} same, ${count("refused")} refused, ${count("silent")} silent\n`);
  return count("silent") === 0 ? 0 : 1;
}

async function readCases(file: string): Promise<readonly YamlCase[]> {
  try {
    // npm runs scripts in the repository's folder, wherever it was called.
    return parseCases(await readFile(path.resolve(process.env["INIT_CWD"] ?? "", file), "utf8"));
  } catch (cause) {
    throw new DriftlessError("config", `${file}: ${messageOf(cause)}`, { cause });
  }
}

async function judgeAll(cases: readonly YamlCase[]): Promise<readonly Verdict[]> {
  const helper =
    process.env["DRIFTLESS_RENDER_HELPER"] ?? (await ensureRenderHelper((line) => process.stderr.write(`${line}\n`)));
  const child = new HelperProcess({ helper, timeoutMs: secondsForOne * 1000, concurrency: 4, log: silentLog });
  try {
    // A helper that does not work would refuse everything, and nothing would be silent.
    await decode(child, "a: 1\n");
    return await Promise.all(cases.map(async (each) => judge(each, await readingOf(child, each))));
  } finally {
    await child.close();
  }
}

async function readingOf(child: HelperProcess, { yaml }: YamlCase): Promise<Reading> {
  try {
    return await decode(child, yaml);
  } catch (error) {
    if (isDriftlessError(error, "render")) return { refusal: error.message };
    throw error;
  }
}

async function decode(child: HelperProcess, yaml: string): Promise<Reading> {
  const entries = [fileEntry({ path: "case.yaml", content: Buffer.from(yaml) })];
  const { objects = [], error } = await child.run({
    request: { op: "decode", path: "case.yaml", entries },
    lookup: async () => [],
  });
  if (error === undefined) return { documents: objects };
  return { refusal: error.line === undefined ? error.message : `line ${error.line}: ${error.message}` };
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => JSON.stringify(character).slice(1, -1));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`conformance:yaml: ${messageOf(error)}\n`);
  process.exitCode = 2;
}
