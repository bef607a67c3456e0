import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { totalmem } from "node:os";
import { join, relative } from "node:path";
import { DriftlessError } from "../lib/errors.ts";
import { buildOnce, cacheFolder, withTicks } from "./build-cache.ts";

export interface GoBinaryOptions {
  /** File name of the binary, and first part of its cache folder. */
  readonly name: string;
  /** Folder of the Go module; its main package is built. */
  readonly module: string;
  /** Import path of the main package of another module that this one requires, to build in its place. */
  readonly package?: string;
  /** Added to `-s -w`. */
  readonly ldflags?: string;
  /** True builds a third faster, without inlining; what runs is then up to 40 % slower. */
  readonly quickBuild?: boolean;
  /** Default: this machine's. */
  readonly goos?: string;
  /** Default: this machine's. */
  readonly goarch?: string;
  /** About how long a first build takes, for the progress line, such as "4 minutes". */
  readonly about?: string;
  /** Gets a line when a build starts and one every 10 seconds; nothing when the binary is there already. */
  readonly progress?: (line: string) => void;
  /** Environment of `go`, and where XDG_CACHE_HOME is looked up. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const building = new Map<string, Promise<string>>();

/**
 * Path of the binary of a Go module, built at most once per content of the module, target and flags.
 * It is kept outside the repository, in `driftless/<name>-<hash>/` of the user's cache folder.
 */
export async function ensureGoBinary(options: GoBinaryOptions): Promise<string> {
  const { env = process.env } = options;
  const target = {
    goos: options.goos ?? (process.platform === "win32" ? "windows" : process.platform),
    goarch: options.goarch ?? (process.arch === "x64" ? "amd64" : process.arch),
  };
  const flags = [...compilerFlags(options), `-ldflags=-s -w ${options.ldflags ?? ""}`.trim()];
  const salt = [target.goos, target.goarch, ...flags, ...(options.package === undefined ? [] : [options.package])];
  const hash = await moduleHash(options.module, salt);
  const binary = join(
    cacheFolder(env),
    `${options.name}-${hash}`,
    target.goos === "windows" ? `${options.name}.exe` : options.name,
  );
  const running = building.get(binary);
  if (running !== undefined) return running;
  const goEnv = {
    ...env,
    CGO_ENABLED: "0",
    GOOS: target.goos,
    GOARCH: target.goarch,
    GOWORK: "off",
    GOGC: garbageCollection(env),
  };
  const build = buildOnce(binary, {
    ...options,
    build: () => compile(binary, { ...options, flags, env: goEnv }),
  }).finally(() => building.delete(binary));
  building.set(binary, build);
  return build;
}

/** The compiler collects its garbage four times less often where memory allows it: 7 % less work, 1.8 GB at most. */
function garbageCollection(env: NodeJS.ProcessEnv): string {
  return env["GOGC"] ?? (totalmem() >= 8 * 1024 ** 3 ? "400" : "100");
}

/** Flags of the compiler; `go test` with the same ones finds everything compiled already. */
export function compilerFlags({ quickBuild = false }: Pick<GoBinaryOptions, "quickBuild">): readonly string[] {
  return ["-trimpath", "-buildvcs=false", `-gcflags=all=-dwarf=false${quickBuild ? " -l" : ""}`];
}

interface Build extends GoBinaryOptions {
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

async function compile(binary: string, build: Build): Promise<void> {
  const { name, module, progress = () => {} } = build;
  const partial = `${binary}.${process.pid}.partial`;
  const about = build.about === undefined ? "" : `, about ${build.about} on 2 cores`;
  progress(`${name}: building from ${relative(process.cwd(), module) || "."} with Go (only once for these sources${about})`);
  try {
    await withTicks({ name, progress }, async () => {
      const { code, output } = await go(["build", ...build.flags, "-o", partial, build.package ?? "."], build);
      if (code !== 0) throw buildFailure(build, code, output);
      await rename(partial, binary);
    });
  } finally {
    await rm(partial, { force: true });
  }
}

function go(args: readonly string[], build: Build): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: build.module,
      env: build.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(build.signal === undefined ? {} : { signal: build.signal }),
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    let output = "";
    const keep = (text: Buffer) => {
      output = (output + text.toString("utf8")).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (error) => {
      process.off("exit", kill);
      reject("code" in error && error.code === "ENOENT" ? goMissing(build, error) : error);
    });
    child.once("close", (code) => {
      process.off("exit", kill);
      resolve({ code, output });
    });
  });
}

function goMissing(build: Build, cause: unknown): DriftlessError {
  return new DriftlessError(
    "config",
    `${build.name} is built with Go, and the command \`go\` was not found: install Go (https://go.dev/dl) and put its bin folder on PATH`,
    { cause },
  );
}

function buildFailure(build: Build, code: number | null, output: string): DriftlessError {
  const last = output.trim().split("\n").slice(-15).join("\n");
  const tooOld = /requires go >=|invalid go version|toolchain not available|note: module requires Go/.test(output);
  const advice = tooOld
    ? "this Go is too old for it: install a newer one (https://go.dev/dl), or allow it to fetch one with GOTOOLCHAIN=auto"
    : `try \`go build .\` in ${build.module}; a first build needs a reachable Go module proxy (go env GOPROXY) and 5 GB of free disk`;
  return new DriftlessError("config", `go build of ${build.name} ended with ${code ?? "a signal"}: ${advice}\n${last}`);
}

/** 16 hex digits over everything that can change the binary: every file of the module but its tests and texts. */
async function moduleHash(module: string, salt: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(salt));
  const files = (await moduleFiles(module)).sort();
  if (!files.includes("go.mod")) throw new DriftlessError("config", `${module} holds no Go module: it has no go.mod`);
  for (const file of files) {
    const content = await readFile(join(module, file));
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function moduleFiles(module: string, folder = ""): Promise<string[]> {
  const entries = await readdir(join(module, folder), { withFileTypes: true }).catch((cause: unknown): Dirent[] => {
    throw new DriftlessError("config", `cannot read the Go module ${join(module, folder)}`, { cause });
  });
  if (folder !== "" && entries.some((entry) => entry.name === "go.mod")) return [];
  const found: string[] = [];
  for (const entry of entries) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (/^[._]|^testdata$/.test(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await moduleFiles(module, path)));
    else if (!/_test\.go$|\.md$/.test(entry.name)) found.push(path);
  }
  return found;
}
