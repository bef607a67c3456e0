import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

const execute = promisify(execFile);
const module = join(import.meta.dirname, "..", "oracles", "sops");

/** An identity of age and its public half. */
export interface AgeKeyPair {
  /** The file as age-keygen writes it, with comments. */
  readonly file: string;
  readonly identity: string;
  readonly recipient: string;
}

/** The real `sops` in a folder of its own. */
export interface Sops {
  /** Where it runs; removed at the end. */
  readonly folder: string;
  /** Runs `sops` with these arguments in its folder; rejects with what it says on standard error. */
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Buffer>;
  /** The encrypted text of one file of that name. */
  encrypt(file: string, options: EncryptOptions): Promise<string>;
  /** What `sops decrypt` gives for files, in one folder, by path. */
  decrypt(
    files: Readonly<Record<string, string>>,
    options: { readonly identity: string },
  ): Promise<Readonly<Record<string, Buffer>>>;
  newAgeKey(): Promise<AgeKeyPair>;
  close(): Promise<void>;
}

export interface EncryptOptions {
  readonly content: string | Uint8Array;
  /** Arguments of `sops encrypt`: keys, and what is to be encrypted. */
  readonly args?: readonly string[];
  /** The creation rule of a `.sops.yaml`, for what has no argument. */
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const build = (name: string, options: { readonly package: string; readonly about: string }): Promise<string> =>
  ensureGoBinary({ name, module, ...options, progress: (line) => process.stderr.write(`${line}\n`) });

/** Builds sops and age-keygen when they are not there yet; nothing of the user's own keys or settings is seen by them. */
export async function startSops(): Promise<Sops> {
  const sops = await build("sops", { package: "github.com/getsops/sops/v3/cmd/sops", about: "90 seconds" });
  const keygen = await build("age-keygen", { package: "filippo.io/age/cmd/age-keygen", about: "5 seconds" });
  const root = await mkdtemp(join(tmpdir(), "driftless-sops-"));
  const folder = join(root, "files");
  await mkdir(folder);
  const aws = { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local", AWS_EC2_METADATA_DISABLED: "true" };

  const run: Sops["run"] = async (args, environment = {}) => {
    const env = { HOME: root, ...aws, ...environment };
    const { stdout } = await execute(sops, [...args], { cwd: folder, env, encoding: "buffer", maxBuffer: 64 << 20 });
    return stdout;
  };
  const put = async (file: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  };
  return {
    folder,
    run,
    async encrypt(file, { content, args = [], rule, environment }) {
      await put(file, content);
      await put(".sops.yaml", JSON.stringify({ creation_rules: [rule ?? {}] }));
      await run(["encrypt", ...args, "--output", `${file}.encrypted`, file], environment);
      return readFile(join(folder, `${file}.encrypted`), "utf8");
    },
    async decrypt(files, { identity }) {
      const found: { [file: string]: Buffer } = {};
      await rm(join(folder, ".sops.yaml"), { force: true });
      for (const [file, content] of Object.entries(files)) {
        await put(file, content);
        found[file] = await run(["decrypt", file], { SOPS_AGE_KEY: identity });
      }
      return found;
    },
    async newAgeKey() {
      const { stdout: file } = await execute(keygen, [], { env: {} });
      const recipient = /public key: (\S+)/.exec(file)?.[1] ?? "";
      const identity = /^AGE-SECRET-KEY-\S+/m.exec(file)?.[0] ?? "";
      return { file, identity, recipient };
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
