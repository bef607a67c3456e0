import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { isDriftlessError, messageOf } from "../lib/errors.ts";
import { type Dependency, goDependencies, licenceTexts, npmDependencies } from "./dependencies.ts";

const usage = `npm run licences [-- --check | --texts FILE]

Writes THIRD-PARTY-LICENCES.md: all that an installation runs, with its licence, of npm and of the render helper's Go modules.
  --check        writes nothing, and ends with 1 when the page is not as it would be written
  --texts FILE   writes the texts of all these licences to FILE instead, to go with what is handed out
It ends with 1 when a licence is not one of ${allowedText()}.
`;

const page = path.join(import.meta.dirname, "..", "THIRD-PARTY-LICENCES.md");

/** What may be handed out with Apache-2.0; MPL-2.0 asks for the source of its own files alone, which nobody changes here. */
export const allowedLicences: ReadonlySet<string> = new Set(allowed());

function allowed(): readonly string[] {
  return ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0", "Unlicense"];
}

function allowedText(): string {
  return allowed().join(", ");
}

/** The dependencies whose licence is not allowed, or not known. */
export function refusedLicences(dependencies: readonly Dependency[]): readonly string[] {
  return dependencies
    .filter(({ licence }) => !isAllowed(licence))
    .map(({ name, version, licence }) => `${name} ${version}: ${licence === "" ? "no licence was found" : licence}`);
}

/** An SPDX expression of AND and OR, without parentheses inside others. */
function isAllowed(expression: string): boolean {
  const parts = expression.replaceAll(/[()]/g, "").split(" AND ");
  return parts.every((part) => part.split(" OR ").some((licence) => allowedLicences.has(licence.trim())));
}

/** The whole of THIRD-PARTY-LICENCES.md. */
export function licencePage(npm: readonly Dependency[], go: readonly Dependency[]): string {
  return `# Third-party licences

Written by \`npm run licences\`; do not edit it by hand. What is used for development alone is not here.

## npm packages of the functions and the command line

${table(npm)}

## Go modules of the render helper

${table(go)}
`;
}

function table(dependencies: readonly Dependency[]): string {
  const rows = dependencies.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return ["| Name | Version | Licence |", "| ---- | ------- | ------- |", ...rows].join("\n");
}

async function noticesOf(dependencies: readonly Dependency[]): Promise<string> {
  const parts = dependencies.map(async ({ name, version, licence, folder }) => {
    const texts = await licenceTexts(folder);
    return `${name} ${version} (${licence})\n\n${texts.length === 0 ? "It comes without the text.\n" : texts.join("\n")}`;
  });
  return (await Promise.all(parts)).join(`\n${"-".repeat(80)}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  const [option, file, ...more] = args;
  const known =
    option === undefined || (option === "--check" && file === undefined) || (option === "--texts" && file !== undefined);
  if (!known || more.length > 0) {
    process.stderr.write(usage);
    return option === "--help" || option === "-h" ? 0 : 2;
  }
  const [npm, go] = await Promise.all([npmDependencies(), goDependencies()]);
  const refused = refusedLicences([...npm, ...go]);
  for (const line of refused) process.stderr.write(`not allowed: ${line}\n`);
  const text = licencePage(npm, go);
  if (option === "--texts") {
    await writeFile(path.resolve(process.env["INIT_CWD"] ?? "", file ?? ""), await noticesOf([...npm, ...go]));
  } else if (option === undefined) {
    await writeFile(page, text);
  } else if ((await readFile(page, "utf8").catch(() => "")) !== text) {
    process.stderr.write("THIRD-PARTY-LICENCES.md is not up to date: run `npm run licences`\n");
    return 1;
  }
  process.stdout.write(`${npm.length} npm packages, ${go.length} Go modules\n`);
  return refused.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!isDriftlessError(error)) throw error;
    process.stderr.write(`npm run licences: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
