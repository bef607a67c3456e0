import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { ensureRenderHelper } from "../cli/local/binaries.ts";
import { buildPrograms } from "../test/control-plane/binaries.ts";
import { compilerFlags } from "./go-binary.ts";
import { ensureRuntimeClient } from "./runtime-client.ts";

/** `npm test`: every check of the repository in one go; `npm test -- PATTERN...` runs only those test files. */
const root = path.dirname(import.meta.dirname);
const binaries = path.join(root, "node_modules", ".bin");
const env = {
  ...process.env,
  PATH: [path.dirname(process.execPath), binaries, process.env["PATH"]].join(path.delimiter),
  NODE_NO_WARNINGS: "1",
  CGO_ENABLED: "0",
};

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly folder?: string;
}

const patterns = process.argv.slice(2);
const testFiles = globSync(patterns.length > 0 ? patterns : ["test/**/*.test.ts"], { cwd: root }).sort();
const properties = path.join(root, "test", "support", "properties.ts");
const suite = ["--import", properties, "--test", "--test-isolation=none", "--test-reporter=spec", ...testFiles];
/** With the flags that the binaries are built with: others would compile all of Kubernetes a second time. */
const goTests: readonly Check[] = ["lib/render/helper", "test/control-plane/kubernetes", "test/control-plane/kwok"].map(
  (folder) => {
    const flags = compilerFlags({ quickBuild: folder.endsWith("/kwok") });
    return { name: `go test ${folder}`, command: ["go", "test", "-vet=off", ...flags, "./..."], folder };
  },
);

const checks: readonly Check[] = [
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "format", command: ["biome", "check"] },
  { name: "unused code", command: ["knip", "--no-progress"] },
  ...goTests,
];
const wanted = patterns.length > 0 ? [] : checks;

function run({ name, command: [program = "", ...args], folder = "." }: Check): boolean {
  process.stdout.write(`\n== ${name}\n`);
  const { status, error } = spawnSync(program, args, { cwd: path.join(root, folder), env, stdio: "inherit" });
  if (error) process.stdout.write(`${program} could not be started: ${error.message}\n`);
  return status === 0;
}

if (!existsSync(binaries)) throw new Error("run `npm install` first: there is no node_modules");
if (testFiles.length === 0) throw new Error(`no test file matches ${patterns.join(" ")}`);

/** Builds first, with a line now and then: the Go tests after it find everything compiled. */
async function build(): Promise<void> {
  const progress = (line: string): boolean => process.stdout.write(`${line}\n`);
  await ensureRenderHelper(progress);
  if (!process.env["KUBEBUILDER_ASSETS"] && !process.env["DRIFTLESS_TEST_KUBECONFIG"]) await buildPrograms({ progress });
  if (!testFiles.some((file) => file.startsWith("test/packaged/"))) return;
  const client = await ensureRuntimeClient({ progress });
  if ("unavailable" in client) progress(`the packaged functions are not run: ${client.unavailable}`);
}

await build();
const failed = wanted.filter((check) => !run(check)).map(({ name }) => name);
if (!run({ name: `tests (${testFiles.length} files)`, command: [process.execPath, ...suite] })) failed.push("tests");
process.stdout.write(failed.length === 0 ? "\nAll checks passed.\n" : `\nFailed: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
