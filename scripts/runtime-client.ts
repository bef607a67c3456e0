import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { DriftlessError } from "../lib/errors.ts";
import { buildOnce, cacheFolder, withTicks } from "./build-cache.ts";

export interface RuntimeClientOptions {
  /** Gets a line when the build starts and one every 10 seconds; nothing when it is there already. */
  readonly progress?: (line: string) => void;
  /** Environment of the build, and where XDG_CACHE_HOME is looked up. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Path of the client's program, or why this machine cannot have it. */
export type RuntimeClient = { readonly program: string } | { readonly unavailable: string };

const name = "runtime-client";
const manifest = join(import.meta.dirname, "..", "test", "packaged", "client");
const manifestFiles = ["package.json", "package-lock.json"] as const;
/** Each by the names that it may have. */
const tools = [["g++"], ["make"], ["cmake", "cmake3"], ["python3"], ["tar"], ["xz"], ["npm"]] as const;

let asked: Promise<RuntimeClient> | undefined;

/**
 * The runtime interface client with which AWS Lambda runs Node functions, compiled at most once for this Node and kept in the
 * user's cache folder. It is no dependency of the project: only the tests of the packaged artefacts run it.
 * Throws `config` when its build fails on a machine that has all that it needs.
 */
export function ensureRuntimeClient(options: RuntimeClientOptions = {}): Promise<RuntimeClient> {
  if (options.env !== undefined) return ensure(options);
  asked ??= ensure(options);
  return asked;
}

async function ensure({ env = process.env, progress = () => {}, signal }: RuntimeClientOptions): Promise<RuntimeClient> {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  for (const file of manifestFiles) hash.update(await readFile(join(manifest, file)));
  const folder = join(cacheFolder(env), `${name}-${hash.digest("hex").slice(0, 16)}`, "client");
  const program = join(folder, "index.mjs");
  if (!existsSync(folder)) {
    if (process.platform !== "linux") return { unavailable: "the runtime interface client of Lambda runs on Linux only" };
    const missing = await missingTools(env["PATH"] ?? "");
    if (missing.length > 0)
      return {
        unavailable: `the runtime interface client of Lambda is compiled here, and this is missing: ${missing.join(", ")}`,
      };
  }
  try {
    const build = (): Promise<void> => make(folder, { env, progress, ...(signal === undefined ? {} : { signal }) });
    await buildOnce(folder, { name, build, progress, ...(signal === undefined ? {} : { signal }) });
    return { program };
  } catch (error) {
    if (error instanceof Unreachable) return { unavailable: error.message };
    throw error;
  }
}

/** The registry is not there, which is no fault of what is built. */
class Unreachable extends Error {}

async function missingTools(path: string): Promise<readonly string[]> {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const isThere = async (tool: string): Promise<boolean> => {
    const tries = folders.map((folder) => access(join(folder, tool), constants.X_OK));
    return Promise.any(tries).then(
      () => true,
      () => false,
    );
  };
  const found = await Promise.all(tools.map(async (names) => (await Promise.all(names.map(isThere))).includes(true)));
  return tools.flatMap(([tool], index) => (found[index] === true ? [] : [tool]));
}

interface Make {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
}

async function make(folder: string, { env, progress, signal }: Make): Promise<void> {
  const partial = `${folder}.${process.pid}.partial`;
  const client = join(partial, "node_modules", "aws-lambda-ric");
  const nodeFolder = dirname(dirname(process.execPath));
  const headers = existsSync(join(nodeFolder, "include", "node")) ? { npm_config_nodedir: nodeFolder } : {};
  const path = [dirname(process.execPath), join(partial, "node_modules", ".bin"), env["PATH"]].join(delimiter);
  const run = (cwd: string, command: readonly string[]): Promise<void> =>
    execute(command, { cwd, env: { ...env, ...headers, PATH: path, NODE_OPTIONS: "" }, signal });
  progress(`${name}: building Lambda's runtime interface client (only once, about 2 minutes on 2 cores)`);
  try {
    await mkdir(partial, { recursive: true });
    for (const file of manifestFiles) await copyFile(join(manifest, file), join(partial, file));
    await withTicks({ name, progress }, async () => {
      await run(partial, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]).catch(unreachable);
      for (const script of ["preinstall", "postinstall"]) await run(client, ["sh", join("scripts", `${script}.sh`)]);
    });
    // What it was compiled with stays behind: it runs by itself.
    await rename(client, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A wrong checksum is a fault; all else that npm says when it fetches is the registry's, or the way there. */
function unreachable(error: unknown): never {
  if (!(error instanceof DriftlessError) || /EINTEGRITY|EUSAGE/.test(error.message)) throw error;
  throw new Unreachable(`the runtime interface client of Lambda could not be fetched: ${error.message}`, { cause: error });
}

interface Execution {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
}

function execute([program = "", ...args]: readonly string[], { cwd, env, signal }: Execution): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => {
        output = (output + text.toString("utf8")).slice(-20_000);
      });
    child.once("error", (error) => {
      process.off("exit", kill);
      reject(error);
    });
    child.once("close", (code) => {
      process.off("exit", kill);
      if (code === 0) return resolve();
      const last = output.trim().split("\n").slice(-15).join("\n");
      reject(new DriftlessError("config", `${name}: ${[program, ...args].join(" ")} ended with ${code ?? "a signal"}\n${last}`));
    });
  });
}
