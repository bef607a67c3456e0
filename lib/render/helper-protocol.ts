import { isUtf8 } from "node:buffer";

/** What the commit has at a path; a file comes with its content. */
export type FoundEntry =
  | { readonly path: string; readonly type: "directory" | "none" }
  | { readonly path: string; readonly type: "file"; readonly text: string }
  | { readonly path: string; readonly type: "file"; readonly base64: string };

/** One job for the helper. `decode` gives the documents of files as they are read, without the rules for objects. */
export type HelperRequest =
  | {
      readonly op: "render";
      readonly renderer: "directory" | "kustomize";
      readonly path: string;
      readonly entries: readonly FoundEntry[];
    }
  | { readonly op: "decode"; readonly path: string; readonly entries: readonly FoundEntry[] };

/** One line from the helper: a lookup, which wants an answer, a change of state, or the end of a job. */
export interface HelperLine {
  readonly id: number;
  /** Paths that the job looks at and does not know yet. */
  readonly lookup?: readonly string[];
  /** True: the job stands in line for Kustomize, which builds one at a time. False: it is its turn. */
  readonly waiting?: boolean;
  readonly done?: boolean;
  /** Each the canonical JSON text of one object. */
  readonly objects?: readonly string[];
  readonly warnings?: readonly string[];
  readonly error?: { readonly message: string; readonly file?: string; readonly line?: number };
}

/** Text travels as text; what is not UTF-8 as base64. */
export function fileEntry(options: { readonly path: string; readonly content: Uint8Array }): FoundEntry {
  const { path, content } = options;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return isUtf8(bytes)
    ? { path, type: "file", text: bytes.toString("utf8") }
    : { path, type: "file", base64: bytes.toString("base64") };
}

/** Cuts a stream of text into lines; feed it chunks as they come. */
export function lineReader(onLine: (line: string) => void): (chunk: string) => void {
  let parts: string[] = [];
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      parts.push(chunk.slice(start, end));
      const line = parts.join("");
      parts = [];
      start = end + 1;
      onLine(line);
    }
    if (start < chunk.length) parts.push(chunk.slice(start));
  };
}
