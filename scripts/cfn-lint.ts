import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { DriftlessError } from "../lib/errors.ts";
import { buildOnce, cacheFolder, withTicks } from "./build-cache.ts";

/** As it stands on PyPI. */
const cfnLintVersion = "1.58.0";

export interface CfnLintOptions {
  /** Environment of python3, and where XDG_CACHE_HOME is looked up. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: (line: string) => void;
}

export interface CfnLint {
  /** What it says of templates, a line each, as `FILE:LINE: CODE TEXT`; `ignored` are codes of rules that are not asked. */
  lint(files: readonly string[], options?: { readonly ignored?: readonly string[] }): Promise<readonly string[]>;
}

/** Why it cannot be had here: the machine lacks what it runs on. */
export interface CfnLintMissing {
  readonly missing: string;
}

const run = promisify(execFile);
const limits = { timeout: 300_000, maxBuffer: 16 * 1024 * 1024 };

/** cfn-lint in Python, fetched once into the user's cache folder; throws `config` where it cannot be fetched. */
export async function openCfnLint({ env = process.env, progress }: CfnLintOptions = {}): Promise<CfnLint | CfnLintMissing> {
  const python = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    run("python3", [...args], { ...limits, env: { ...env, ...more } });
  let versions: string;
  try {
    ({ stdout: versions } = await python(["-c", "import sys, pip; print(sys.version, sys.platform, pip.__version__)"]));
  } catch {
    return { missing: "python3 with pip, 3.10 or newer, is not installed here" };
  }
  // Wheels are made for one version of Python.
  const hash = createHash("sha256").update(`${cfnLintVersion} ${versions}`).digest("hex").slice(0, 16);
  const marker = join(cacheFolder(env), `cfn-lint-${hash}`, "installed");
  const packages = join(dirname(marker), "packages");
  const install = async (): Promise<void> => {
    progress?.(`cfn-lint: fetching ${cfnLintVersion} from PyPI (only once)`);
    await rm(packages, { recursive: true, force: true });
    await mkdir(packages, { recursive: true });
    const wheels = ["--only-binary=:all:", "--no-warn-conflicts", "--disable-pip-version-check", "--quiet"];
    await python(["-m", "pip", "install", ...wheels, "--target", packages, `cfn-lint==${cfnLintVersion}`]).catch(
      (cause: unknown) => {
        throw new DriftlessError("config", `cfn-lint ${cfnLintVersion} cannot be fetched: pip has to reach a package index`, {
          cause,
        });
      },
    );
    await writeFile(marker, `${cfnLintVersion}\n`);
  };
  const build = () => (progress === undefined ? install() : withTicks({ name: "cfn-lint", progress }, install));
  await buildOnce(marker, { name: "cfn-lint", build, ...(progress === undefined ? {} : { progress }) });

  return {
    async lint(files, { ignored = [] } = {}) {
      const ignore = ignored.length === 0 ? [] : ["--ignore-checks", ...ignored];
      const start = "import sys; from cfnlint.runner import main; sys.exit(main())";
      const args = ["-c", start, "--format", "parseable", ...ignore, "--", ...files];
      const { stdout } = await python(args, { PYTHONPATH: packages }).catch((error: unknown) => {
        // 2, 4, 6, 8 and their sums say what kinds of findings there are.
        if (foundSomething(error)) return error;
        throw new DriftlessError("config", "cfn-lint could not read the templates", { cause: error });
      });
      return stdout.split("\n").filter((line) => line !== "");
    },
  };
}

function foundSomething(error: unknown): error is { readonly stdout: string } {
  const { code, stdout } = error as { readonly code?: unknown; readonly stdout?: unknown };
  return typeof code === "number" && code > 1 && code < 32 && typeof stdout === "string" && stdout !== "";
}
