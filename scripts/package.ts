import { globSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { DriftlessError, isDriftlessError, messageOf } from "../lib/errors.ts";
import { ensureGoBinary } from "./go-binary.ts";
import { runOsls } from "./osls.ts";
import { parameterProblems, parametersOf } from "./package-parameters.ts";

/**
 * `npm run package [-- --param configRepository=URL --stage NAME --region REGION]`: the zips and the CloudFormation
 * template in .serverless/, made offline; `npx osls deploy --package .serverless` with the same options deploys them.
 */
const root = path.dirname(import.meta.dirname);
const folder = path.join(root, "dist", "bin");
/** Stand in when only the artefacts themselves are wanted, as in CI. */
const standIns = { configRepository: "https://git.example/platform.git", clusterArns: "none" };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The render helper for the processor of the functions, where the plan function's package.patterns finds it. */
async function placeRenderHelper(): Promise<void> {
  const built = await ensureGoBinary({
    name: "render-helper",
    module: path.join(root, "lib", "render", "helper"),
    goos: "linux",
    goarch: "arm64",
    about: "3 minutes",
    progress: say,
  });
  await mkdir(folder, { recursive: true });
  const placed = path.join(folder, "render-helper");
  await copyFile(built, `${placed}.partial`);
  await chmod(`${placed}.partial`, 0o755);
  await rename(`${placed}.partial`, placed);
}

async function main(args: readonly string[]): Promise<void> {
  const parameters = parametersOf(args);
  const problems = parameterProblems(parameters);
  if (problems.length > 0) throw new DriftlessError("config", problems.join("\n"));
  await placeRenderHelper();
  const named = parameters.has("configRepository");
  const missing = Object.entries(standIns).filter(([name]) => !parameters.has(name));
  const all = ["package", ...args, ...missing.flatMap(([name, value]) => ["--param", `${name}=${value}`])];
  const { code } = await runOsls(all, { folder: root, env: process.env, onText: (text) => process.stdout.write(text) });
  if (code !== 0) throw new DriftlessError("config", `osls package ended with ${code ?? "a signal"}`);
  for (const zip of globSync(".serverless/*.zip", { cwd: root }).sort()) {
    const { size } = await stat(path.join(root, zip));
    say(`${(size / 1e6).toFixed(2).padStart(6)} MB  ${zip}`);
  }
  if (!named)
    say("Not for deployment: add -- --param configRepository=URL, the repository that holds driftless.yaml, and clusterArns");
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!isDriftlessError(error)) throw error;
  process.stderr.write(`npm run package: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
