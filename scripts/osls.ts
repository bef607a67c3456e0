import { spawn } from "node:child_process";
import path from "node:path";

export interface OslsOptions {
  /** Where serverless.yml is. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets what osls writes, as it comes. */
  readonly onText?: (text: string) => void;
}

const modules = path.join(import.meta.dirname, "..", "node_modules");

/** Runs osls, without an AWS account or the network; resolves to its exit code and to all that it wrote. */
export function runOsls(args: readonly string[], { folder, env, onText }: OslsOptions) {
  const child = spawn(process.execPath, [path.join(modules, "osls", "bin", "serverless.js"), ...args], {
    cwd: folder,
    env: offline(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onText?.(text);
    });
  }
  return new Promise<{ readonly code: number | null; readonly output: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** Nothing of an AWS account but the region, so that the artefacts are the same wherever they are made. */
function offline(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => name === "AWS_REGION" || !/^(AWS|SLS)_/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_EC2_METADATA_DISABLED: "true",
    // Its compiled schema; the default is the user's home folder.
    SLS_SCHEMA_CACHE_BASE_DIR: path.join(modules, ".cache"),
  };
}
