import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Blind to the configuration of whoever runs the tests, and with fixed authors. */
const gitEnvironment = {
  PATH: process.env["PATH"] ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

/** Standard output of the real git, trimmed. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const options = { env: gitEnvironment, maxBuffer: 256 * 1024 * 1024 };
  return (await run("git", ["-C", folder, ...args], options)).stdout.trim();
}

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "driftless-source-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export type FileContent =
  | string
  | Uint8Array
  | { readonly mode: "100755" | "120000"; readonly body: string }
  | { readonly submodule: string }
  | null;

export type Files = { readonly [path: string]: FileContent };

/** Commits files (null deletes) on a branch of a bare repository; gives the commit id. */
export async function commit(
  repository: string,
  files: Files,
  { branch = "main" }: { readonly branch?: string } = {},
): Promise<string> {
  const parent = await git(repository, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}`).catch(() => undefined);
  const [id] = await commitAll(repository, [files], { branch, parent });
  return id!;
}

/** One commit after the other, all through one `git fast-import`; gives their ids. */
export async function commitAll(
  repository: string,
  history: readonly Files[],
  { branch = "main", parent }: { readonly branch?: string; readonly parent?: string | undefined } = {},
): Promise<readonly string[]> {
  const ref = `refs/heads/${branch}`;
  const parts = history.flatMap((files, index) => [
    `commit ${ref}\ncommitter Ada <ada@example.com> ${1700000000 + index} +0000\ndata 1\nc\n`,
    index === 0 && parent !== undefined ? `from ${parent}\n` : "",
    ...Object.entries(files).flatMap(([path, content]) => change(path, content)),
  ]);
  await pipeInto(repository, parts, "fast-import", "--quiet", "--force");
  return (await git(repository, "rev-list", "--reverse", `--max-count=${history.length}`, ref)).split("\n");
}

function change(path: string, content: FileContent): readonly (string | Uint8Array)[] {
  if (content === null) return [`D ${path}\n`];
  if (typeof content === "object" && "submodule" in content) return [`M 160000 ${content.submodule} ${path}\n`];
  const mode = typeof content === "object" && "mode" in content ? content.mode : "100644";
  const body = Buffer.from(typeof content === "object" && "mode" in content ? content.body : content);
  return [`M ${mode} inline ${path}\ndata ${body.length}\n`, body, "\n"];
}

/** Feeds the parts to a git command; gives its standard output as bytes. */
export function pipeInto(folder: string, parts: readonly (string | Uint8Array)[], ...args: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["-C", folder, ...args], { env: gitEnvironment, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(Buffer.concat(errors).toString())),
    );
    child.stdin.end(Buffer.concat(parts.map((part) => Buffer.from(part))));
  });
}

export interface LoopbackServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A plain HTTP server on a free port of this machine. */
export async function startHttp(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<LoopbackServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

export interface ProxyOptions {
  readonly target: string;
  /** Changes the headers of a request before it goes on. */
  readonly headers?: (headers: Readonly<IncomingMessage["headers"]>) => IncomingMessage["headers"];
  /** Gives what the client gets of an answer, and whether its end is a proper one. */
  readonly answer: (seen: { readonly path: string; readonly body: Buffer }) => {
    readonly body: Buffer;
    readonly broken?: boolean;
  };
}

/** Stands between a client and a server and may cut what the server says; the same request reaches the server once. */
export function startProxy({ target, headers = (same) => same, answer }: ProxyOptions): Promise<LoopbackServer> {
  const answers = new Map<string, Promise<{ readonly status: number; readonly type: string; readonly body: Buffer }>>();

  const ask = async (incoming: IncomingMessage, asked: Buffer) => {
    const { "git-protocol": protocol = "", "content-type": type = "" } = headers(incoming.headers);
    const sent = { method: incoming.method ?? "GET", headers: { "git-protocol": String(protocol), "content-type": type } };
    const answered = await fetch(
      `${target}${incoming.url}`,
      asked.length === 0 ? sent : { ...sent, body: new Uint8Array(asked) },
    );
    return {
      status: answered.status,
      type: answered.headers.get("content-type") ?? "",
      body: Buffer.from(await answered.arrayBuffer()),
    };
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await buffer(incoming);
    const key = `${incoming.url} ${asked.toString("latin1")}`;
    const known = answers.get(key) ?? ask(incoming, asked);
    answers.set(key, known);
    const { status, type, body: whole } = await known;
    const { body, broken = false } = answer({ path: incoming.url ?? "", body: Buffer.from(whole) });
    response.writeHead(status, { "content-type": type });
    response.write(body, () => (broken ? response.destroy() : response.end()));
  };
  return startHttp((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
}
