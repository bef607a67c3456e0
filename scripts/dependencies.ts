import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { DriftlessError, messageOf } from "../lib/errors.ts";

/** A package that runs in an installation: of the functions and the command line, or of the render helper. */
export interface Dependency {
  readonly ecosystem: "npm" | "go";
  readonly name: string;
  readonly version: string;
  /** SPDX expression; "" when nothing says it. */
  readonly licence: string;
  /** Where it is installed; may not be there for a package of another platform. */
  readonly folder: string;
}

interface LockEntry {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

const root = path.dirname(import.meta.dirname);
const helper = path.join(root, "lib", "render", "helper");
const run = promisify(execFile);

/** What package-lock.json installs without the development tools, by name and version. */
export async function npmDependencies(): Promise<readonly Dependency[]> {
  const lock = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  const runtime = Object.entries(lock.packages).filter(([at, { dev, devOptional }]) => at !== "" && !dev && !devOptional);
  const all = await Promise.all(
    runtime.map(async ([at, { version, license }]): Promise<Dependency> => {
      const folder = path.join(root, at);
      const name = at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length);
      return { ecosystem: "npm", name, version, licence: license ?? (await statedLicence(folder)), folder };
    }),
  );
  return sorted(all);
}

async function statedLicence(folder: string): Promise<string> {
  const manifest = await readFile(path.join(folder, "package.json"), "utf8").catch(() => "{}");
  const { license } = JSON.parse(manifest) as { readonly license?: unknown };
  return typeof license === "string" ? license : "";
}

/** The modules that the render helper is linked from; throws `config` where Go or the modules are not there. */
export async function goDependencies(): Promise<readonly Dependency[]> {
  const format = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}";
  const { stdout } = await run("go", ["list", "-deps", "-f", format, "."], { cwd: helper, maxBuffer: 64 * 1024 * 1024 }).catch(
    (cause: unknown) => {
      throw new DriftlessError("config", `go list in lib/render/helper: ${messageOf(cause)}`, { cause });
    },
  );
  const lines = [...new Set(stdout.split("\n"))].filter((line) => line !== "");
  const all = lines.map(async (line): Promise<Dependency> => {
    const [name = "", version = "", folder = ""] = line.split("\t");
    return { ecosystem: "go", name, version, licence: licenceOf((await licenceTexts(folder)).join("\n")), folder };
  });
  return sorted(await Promise.all(all));
}

function sorted(all: readonly Dependency[]): readonly Dependency[] {
  const unique = new Map(all.map((each) => [`${each.name} ${each.version}`, each]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

const licenceFile = /^(?:licen[cs]e|copying|notice|unlicense)/i;

/** Texts of its licence and notice files, in the order of their names. */
export async function licenceTexts(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder, { withFileTypes: true }).catch(() => [])).filter(
    (entry) => entry.isFile() && licenceFile.test(entry.name) && !/\.(?:go|js|ts|json)$/.test(entry.name),
  );
  return Promise.all(
    files
      .map(({ name }) => name)
      .sort()
      .map((name) => readFile(path.join(folder, name), "utf8")),
  );
}

/** Words that only one licence has. */
const marks: readonly (readonly [licence: string, mark: RegExp])[] = [
  ["Apache-2.0", /Apache License,?\s+Version 2\.0/],
  ["MPL-2.0", /Mozilla Public License,? (?:Version|version|v\.?) ?2\.0/],
  ["BSD-3-Clause", /Redistributions in binary form[\s\S]*?(?:Neither the names? of|may not be used to endorse|The names? of)/],
  ["BSD-2-Clause", /Redistributions in binary form(?![\s\S]*?(?:Neither the names? of|may not be used to endorse))/],
  ["MIT", /Permission is hereby granted, free of charge, to any person/],
  ["ISC", /Permission to use, copy, modify, and(?:\/or)? distribute this software for any\s+purpose/],
  // In its own heading: other licences speak of it.
  ["GPL", /GNU (?:LESSER |AFFERO )?GENERAL PUBLIC LICENSE Version \d/],
];

/** All licences whose words are in a text, joined by AND: a module may hold files of several. */
export function licenceOf(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ");
  return marks.flatMap(([licence, mark]) => (mark.test(flat) ? [licence] : [])).join(" AND ");
}
