import { isUtf8 } from "node:buffer";
import type { HelmOptions, KustomizeOptions } from "../model/application-source.ts";
import type { JsonObject } from "../model/json.ts";

/** What the commit has at a path; a file comes with its content, a symbolic link with the path behind it and all other links. */
export type FoundEntry =
  | { readonly path: string; readonly type: "directory" | "none" }
  | { readonly path: string; readonly type: "link"; readonly target: string }
  | { readonly path: string; readonly type: "file"; readonly text: string }
  | { readonly path: string; readonly type: "file"; readonly base64: string };

/** One job for the helper. `decode` gives the documents of files as they are read, without the rules for objects. */
export type HelperRequest = DirectoryJob | KustomizeJob | HelmJob | DecodeJob;

interface Job {
  /** Folder of the source that is rendered. */
  readonly path: string;
  readonly entries: readonly FoundEntry[];
}

export interface DirectoryJob extends Job {
  readonly op: "render";
  readonly renderer: "directory";
}

export interface KustomizeJob extends Job {
  readonly op: "render";
  readonly renderer: "kustomize";
  /** Laid over the kustomization in `path`. */
  readonly kustomize?: KustomizeOptions;
  /** Beginnings of URLs of remote bases that are allowed; the files of one are looked up below `remoteBasePath`. */
  readonly remoteBases: readonly string[];
}

export interface HelmJob extends Job {
  readonly op: "render";
  readonly renderer: "helm";
  /** The chart as an archive, base64, in place of files in `entries`. */
  readonly archive?: string;
  /** Value files in order, a later one wins. */
  readonly valueFiles: readonly FoundEntry[];
  readonly helm: {
    readonly releaseName: string;
    readonly namespace: string;
    readonly values: JsonObject;
    readonly parameters: HelmOptions["parameters"];
    /** "": Helm's own default. */
    readonly kubeVersion: string;
    /** In place of Helm's own defaults, unless there are none. */
    readonly clusterApiVersions: readonly string[];
    /** Further ones. */
    readonly apiVersions: readonly string[];
    readonly skipCrds: boolean;
    /** Leave out hooks that only `helm test` would run. */
    readonly skipTests: boolean;
  };
}

export interface DecodeJob extends Job {
  readonly op: "decode";
}

/** A data key of SOPS that only KMS can open. */
export interface KmsCiphertext {
  readonly arn: string;
  /** Base64. */
  readonly ciphertext: string;
  readonly context: { readonly [name: string]: string };
  /** An IAM role to take for it; "" for none. */
  readonly role: string;
}

/** Identities of age, `AGE-SECRET-KEY-1...` each; `refusal` says why there are none. */
export interface AgeKeysReply extends Refusal {
  readonly op: "ageKeys";
  readonly ageKeys: readonly string[];
}

/** An opened data key, base64; "" with `refusal`. */
export interface DecryptedReply extends Refusal {
  readonly op: "decrypted";
  readonly plaintext: string;
}

interface Refusal {
  readonly refusal?: string;
  readonly retryable?: boolean;
}

/** One line from the helper: a lookup or a wish for a key, which want an answer, a change of state, or the end of a job. */
export interface HelperLine {
  readonly id: number;
  /** Paths that the job looks at and does not know yet. */
  readonly lookup?: readonly string[];
  /** True: the job has met a file encrypted for age, and wants an `AgeKeysReply`. */
  readonly ageKeys?: boolean;
  /** Wants a `DecryptedReply`. */
  readonly decrypt?: KmsCiphertext;
  /** True: the job stands in line for Kustomize, which builds one at a time. False: it is its turn. */
  readonly waiting?: boolean;
  readonly done?: boolean;
  /** Each the canonical JSON text of one object. */
  readonly objects?: readonly string[];
  readonly warnings?: readonly string[];
  readonly error?: { readonly message: string; readonly file?: string; readonly line?: number; readonly retryable?: boolean };
}

/** Text travels as text; what is not UTF-8 as base64. */
export function fileEntry(options: { readonly path: string; readonly content: Uint8Array }): FoundEntry {
  const { path, content } = options;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return isUtf8(bytes)
    ? { path, type: "file", text: bytes.toString("utf8") }
    : { path, type: "file", base64: bytes.toString("base64") };
}

/** From this length on a text follows its message as it is: to write and read it as JSON takes longer than to read its YAML. */
const attachFrom = 1 << 16;

interface EntryLists {
  readonly entries?: readonly FoundEntry[];
  readonly valueFiles?: readonly FoundEntry[];
}

/** A message as it is sent: one line of JSON, and behind it the long texts, whose lengths the line says as `attached`. */
export function framed(message: EntryLists): readonly (string | Buffer)[] {
  const attached: Buffer[] = [];
  const attach = (entries: readonly FoundEntry[]): readonly object[] =>
    entries.map((entry) => {
      if (!("text" in entry) || entry.text.length < attachFrom) return entry;
      const { text, ...rest } = entry;
      return { ...rest, attached: attached.push(Buffer.from(text)) };
    });
  const { entries, valueFiles } = message;
  const line = {
    ...message,
    ...(entries === undefined ? {} : { entries: attach(entries) }),
    ...(valueFiles === undefined ? {} : { valueFiles: attach(valueFiles) }),
  };
  const lengths = attached.length === 0 ? {} : { attached: attached.map(({ length }) => length) };
  return [`${JSON.stringify({ ...line, ...lengths })}\n`, ...attached];
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
