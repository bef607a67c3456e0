import { type ChildProcess, execFile, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { DriftlessError } from "../../lib/errors.ts";

const run = promisify(execFile);

/** Refs of a repository by name. */
export type Refs = ReadonlyMap<string, string>;

/** The `git` of this machine, blind to the user's and the machine's configuration. */
export interface Git {
  /** Standard output. Throws `source` with Git's words when the command fails. */
  run(...args: readonly string[]): Promise<string>;
  refs(repository: string): Promise<Refs>;
  isAncestor(repository: string, commits: { readonly ancestor: string; readonly descendant: string }): Promise<boolean>;
  /** One request through `git http-backend`; `beforeEnd` runs when Git is done and before the client hears so. */
  serve(exchange: CgiExchange): Promise<void>;
}

export interface CgiExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Folder that `path` is relative to. */
  readonly root: string;
  /** As `/acme/shop.git/info/refs`. */
  readonly path: string;
  readonly query: string;
  readonly onBytes: (bytes: number) => void;
  readonly beforeEnd: () => Promise<void>;
}

/** Finds Git's own programs. Throws `config` when there is no git. */
export async function findGit(): Promise<Git> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
  };
  const git = async (...args: readonly string[]): Promise<string> => {
    try {
      return (await run("git", args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
    } catch (cause) {
      throw new DriftlessError("source", `git ${args.join(" ")} failed`, { cause });
    }
  };
  const backend = join((await git("--exec-path").catch(noGit)).trim(), "git-http-backend");
  return {
    run: git,
    async refs(repository) {
      const lines = (await git("-C", repository, "for-each-ref", "--format=%(refname) %(objectname)")).split("\n");
      return new Map(lines.filter((line) => line !== "").map((line) => line.split(" ") as [string, string]));
    },
    isAncestor: (repository, { ancestor, descendant }) =>
      git("-C", repository, "merge-base", "--is-ancestor", ancestor, descendant).then(
        () => true,
        () => false,
      ),
    serve: (exchange) => serve(exchange, { backend, env }),
  };
}

function noGit(cause: unknown): never {
  throw new DriftlessError("config", "git was not found: install it, or put it on the PATH", { cause });
}

async function serve(
  exchange: CgiExchange,
  program: { readonly backend: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const { request, response } = exchange;
  const child = spawn(program.backend, [], { env: cgiEnvironment(exchange, program.env), stdio: ["pipe", "pipe", "pipe"] });
  const onClose = (): void => {
    if (!response.writableFinished) child.kill();
  };
  response.once("close", onClose);
  child.stderr.resume();
  const ended = exitOf(child);
  // Git may answer before it has read everything: the rest of the request is dropped then.
  child.stdin.on("error", () => request.unpipe(child.stdin).resume());
  request.pipe(child.stdin);
  try {
    await forwardAnswer(child.stdout, exchange);
    await ended;
    await exchange.beforeEnd();
    response.end();
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill();
    response.off("close", onClose);
    await ended;
  }
}

function cgiEnvironment({ request, root, path, query }: CgiExchange, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { headers } = request;
  return {
    ...env,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method ?? "GET",
    CONTENT_TYPE: headers["content-type"] ?? "",
    ...(headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: headers["content-length"] }),
    ...(headers["content-encoding"] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
    ...(headers["git-protocol"] === undefined ? {} : { GIT_PROTOCOL: String(headers["git-protocol"]) }),
    REMOTE_ADDR: request.socket.remoteAddress ?? "",
  };
}

/** A CGI answer starts with header lines, among them `Status`, and an empty line. */
async function forwardAnswer(stdout: AsyncIterable<Buffer>, { response, onBytes }: CgiExchange): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of stdout) {
    let body = chunk;
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      writeHead(response, head.toString("latin1", 0, end));
      body = head.subarray(end + 4);
      head = undefined;
    }
    onBytes(body.length);
    if (!response.write(body)) await drained(response);
  }
  if (head !== undefined) response.writeHead(500);
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(line) ?? [];
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else if (name !== "") response.setHeader(name, value);
  }
  response.writeHead(status);
}

/** Until more may be written, or nobody reads any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
    if (response.destroyed) done();
  });
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
}
