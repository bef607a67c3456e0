import { spawn } from "node:child_process";
import { DriftlessError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";
import { readRunning } from "../local/running.ts";

export const kubectl: Command = {
  usage: "kubectl ARGUMENT ...",
  summary: "kubectl on the cluster that `npm start` runs",
  help: "\nAll arguments are kubectl's, --help included once it runs.\n",
  options: {},
  positionals: { least: 0, most: 0 },
  run: () => Promise.resolve({ text: "", json: "null" }),
  async raw(args, environment) {
    const running = await readRunning(environment);
    if (running === undefined && (args.length === 0 || args.includes("--help") || args.includes("-h"))) {
      process.stdout.write(`driftless ${kubectl.usage}\n\n${kubectl.summary}\n${kubectl.help}`);
      return 0;
    }
    if (running === undefined) throw new DriftlessError("config", "nothing runs here: `npm start` first");
    const child = spawn(running.kubectl, [...args], {
      stdio: "inherit",
      env: { ...environment, KUBECONFIG: running.kubeconfig },
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? 1));
    });
  },
};
