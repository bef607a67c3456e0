import { globSync, readFileSync } from "node:fs";
import path from "node:path";

export const root = path.dirname(path.dirname(import.meta.dirname));

export const textOf = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** The pages at the root and everything under docs/, relative to the root. */
export const pages: readonly string[] = [
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md", { cwd: root }).sort(),
];

/** Sources of these folders, relative to the root. */
export const sourcesOf = (...folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,js}`, { cwd: root })).sort();

export interface CodeBlock {
  readonly file: string;
  /** All that stands behind the fence: `yaml broken`; "" for none. */
  readonly info: string;
  readonly text: string;
}

/** The fenced blocks of a page. */
export function codeBlocks(file: string): readonly CodeBlock[] {
  return [...textOf(file).matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({ file, info, text }));
}

/** The page without its fenced blocks. */
export const proseOf = (file: string): string => textOf(file).replace(/^```.*\n[\s\S]*?^```$/gm, "");

/** What stands under a heading, down to the next heading of any level; "" when there is no such heading. */
export function sectionOf(file: string, heading: string): string {
  const parts = proseOf(file).split(/^#+ (.*)$/m);
  const at = parts.indexOf(heading);
  return at < 0 ? "" : (parts[at + 1] ?? "");
}

/** Rows of the tables in a text, headings left out, by the word in backticks that they begin with; cells without outer space. */
export function tableRows(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  for (const [line] of text.matchAll(/^\| `.*\|$/gm)) {
    const cells = line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    for (const [, name = ""] of (cells[0] ?? "").matchAll(/`([^`]+)`/g)) rows.set(name, cells);
  }
  return rows;
}

/** The anchor that a heading has on GitHub. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
