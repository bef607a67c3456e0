// Runs a TypeScript file on Node 24 or newer: on this Node when it is new enough, otherwise on the pinned
// binary that `npm install` brought. Plain JavaScript, so that an older Node can run it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The Node to run with: this one, or the pinned binary. */
function nodeBinary() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  const pinned = path.join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(pinned)) return pinned;
  process.stderr.write(
    `driftless needs Node 24 or newer; this is ${process.version}, and there is no ${pinned}.\n` +
      "Run `npm install` without --omit=optional, or install Node 24.\n",
  );
  return process.exit(1);
}

/** Runs `file` with the arguments, with signals passed on, and ends as it ends. */
export async function runOnNode24(file, args) {
  const node = nodeBinary();
  if (node === process.execPath) {
    process.argv = [node, file, ...args];
    await import(pathToFileURL(file).href);
    return;
  }
  const binaries = path.join(root, "node_modules", ".bin");
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${binaries}${path.delimiter}${process.env.PATH}` };
  const child = spawn(node, [file, ...args], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) throw new Error("usage: node scripts/node24.js FILE [ARGUMENT ...]");
  await runOnNode24(path.resolve(file), args);
}
