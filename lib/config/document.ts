import { isScalar, type Node, parseDocument, type YAMLError } from "yaml";
import { DriftlessError, messageOf } from "../errors.ts";
import type { Finding } from "./check.ts";

export interface ConfigurationFile {
  readonly text: string;
  /** Name of the file, for errors. */
  readonly file: string;
  /** Clone URL or path of the repository that holds the file: the default of every application's `repository`. */
  readonly repository: string;
}

/** Something wrong with the file; line and column count from 1. */
export interface ConfigurationProblem {
  readonly line: number;
  readonly column: number;
  /** `applications[2].sync.timeout`; "" for the document. */
  readonly path: string;
  readonly message: string;
}

/** More findings than this are not shown. */
export const longestList = 100;
const largestFile = 1024 * 1024;

/** The problems of a file as one `config` error: a line each as `file:line:column: path: message`. */
export function problemsError(file: string, problems: readonly ConfigurationProblem[]): DriftlessError {
  const [first] = problems;
  const shown = problems.slice(0, longestList).map((problem) => problemLine(file, problem));
  if (problems.length > longestList) shown.push(`and ${problems.length - longestList} more`);
  return new DriftlessError("config", shown.join("\n"), {
    facts: { file, line: first?.line ?? 1, column: first?.column ?? 1, problems: problems.length },
  });
}

/** `file:line:column: path: message`. */
export function problemLine(file: string, { line, column, path, message }: ConfigurationProblem): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}

/** The findings in the order of the text, with line and column. */
export function locate(text: string, findings: readonly Finding[]): readonly ConfigurationProblem[] {
  const starts = lineStarts(text);
  return findings
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, path, message }) => {
      const at = Math.min(Math.max(0, offset), text.length);
      const line = lineAt(starts, at);
      return { line: line + 1, column: at - (starts[line] ?? 0) + 1, path, message };
    });
}

/** The one document of a file, or what keeps it from being read at all. */
export function readDocument(text: string): { readonly node: Node } | { readonly findings: readonly Finding[] } {
  if (text.length > largestFile) return only(0, `is larger than ${largestFile} characters`);
  // The package takes seconds to give up on these.
  const nest = text.search(/(?:[[{]\s*){100}/);
  if (nest >= 0) return only(nest, "is nested too deeply");
  try {
    // Duplicate keys are checked by the walk: the package's own check is quadratic.
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: false,
      merge: false,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: "error",
    });
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0) return { findings: broken.map(brokenYaml) };
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
      return only(0, 'is empty: write the keys "clusters" and "applications"');
    return { node: document.contents };
  } catch (error) {
    return only(0, `is not valid YAML: ${messageOf(error)}`);
  }
}

/** Where each line begins; counted in the text itself, since the package's counter misses what follows a place where reading went wrong. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the last line that begins at or before an offset. */
function lineAt(starts: readonly number[], offset: number): number {
  let [from, to] = [0, starts.length - 1];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if ((starts[middle] ?? 0) <= offset) from = middle;
    else to = middle - 1;
  }
  return from;
}

function brokenYaml({ pos, code, message }: YAMLError): Finding {
  const text =
    code === "MULTIPLE_DOCS" ? "must be one document: remove the --- and what follows it" : `is not valid YAML: ${message}`;
  return { offset: pos[0], path: "", message: text };
}

function only(offset: number, message: string): { readonly findings: readonly Finding[] } {
  return { findings: [{ offset, path: "", message }] };
}
