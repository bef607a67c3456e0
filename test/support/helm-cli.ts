import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ensureGoBinary } from "../../scripts/go-binary.ts";

const execute = promisify(execFile);
const version = "v4.3.1";

/** The real `helm`, without network, settings or plugins of the user. */
export interface HelmCli {
  readonly binary: string;
  /** Writes the files into a fresh folder and gives its path; it is removed at the end. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** Runs `helm` with these arguments and gives what it prints; rejects with what it says on standard error. */
  run(args: readonly string[], folder?: string): Promise<string>;
  close(): Promise<void>;
}

/** Path of the real `helm`, built when it is not there yet. */
export function helmBinary(): Promise<string> {
  return ensureGoBinary({
    name: "helm",
    module: join(import.meta.dirname, "..", "oracles", "helm"),
    package: "helm.sh/helm/v4/cmd/helm",
    ldflags: `-X helm.sh/helm/v4/internal/version.version=${version}`,
    about: "80 seconds",
    progress: (line) => process.stderr.write(`${line}\n`),
  });
}

export async function startHelmCli(): Promise<HelmCli> {
  const binary = await helmBinary();
  const root = await mkdtemp(join(tmpdir(), "driftless-helm-"));
  let folders = 0;
  return {
    binary,
    async write(files) {
      const folder = join(root, String(++folders));
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), content);
      }
      return folder;
    },
    async run(args, folder = root) {
      const { stdout } = await execute(binary, [...args], { cwd: folder, env: { HOME: root }, maxBuffer: 64 << 20 });
      return stdout;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
