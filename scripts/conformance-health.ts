import path from "node:path";
import process from "node:process";
import { messageOf } from "../lib/errors.ts";
import { assessHealth } from "../lib/health/health.ts";
import { readHealthCases } from "./health-cases.ts";

const usage = `npm run --silent conformance:health -- DIR

Assesses every live object of a folder and compares its health with the one that is expected of it.
DIR holds GROUP/KIND/expected.yaml, a list \`tests\` of {inputPath, expected}, and beside it the objects' files.
A line is printed for each that differs: kind, input, what is expected, what was found and why.
Exit status: 0 when at least 98 % agree, 1 when fewer do, 2 when the folder cannot be read.
`;

const enough = 0.98;

function main(args: readonly string[]): number {
  const [folder] = args;
  if (folder === "--help" || folder === "-h") {
    process.stdout.write(usage);
    return 0;
  }
  if (folder === undefined || args.length > 1 || folder.startsWith("-")) {
    process.stderr.write(usage);
    return 2;
  }
  // npm runs scripts in the repository's folder, wherever it was called.
  const cases = readHealthCases(path.resolve(process.env["INIT_CWD"] ?? "", folder));
  let agree = 0;
  for (const { kind, input, expected, live } of cases) {
    const { status, message } = assessHealth(live);
    if (status === expected) agree++;
    else
      process.stdout.write(
        `${kind}  ${input}  expected ${expected}, is ${status}${message === "" ? "" : `: ${oneLine(message)}`}\n`,
      );
  }
  process.stdout.write(`${agree} agree, ${cases.length - agree} differ\n`);
  return agree >= cases.length * enough ? 0 : 1;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, 300);
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`conformance:health: ${messageOf(error)}\n`);
  process.exitCode = 2;
}
