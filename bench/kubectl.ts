import { spawn } from "node:child_process";
import { DriftlessError } from "../lib/errors.ts";
import { endedChildrenSeconds } from "./processes.ts";

export interface KubectlRun {
  readonly seconds: number;
  /** Undefined where the system does not tell. */
  readonly cpuSeconds: number | undefined;
}

/** One process of kubectl from its start to its end; throws `cluster` when it ends with another code than these. */
export type Kubectl = (
  args: readonly string[],
  expected: { readonly exitCodes: readonly number[]; readonly signal: AbortSignal },
) => Promise<KubectlRun>;

export interface KubectlOptions {
  readonly binary: string;
  readonly kubeconfig: string;
  /** Where it runs. */
  readonly folder: string;
  /** Where it keeps what it found out about the API server. */
  readonly home: string;
}

export function createKubectl({ binary, kubeconfig, folder, home }: KubectlOptions): Kubectl {
  const env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig };
  return async (args, { exitCodes, signal }) => {
    const before = await endedChildrenSeconds();
    const started = performance.now();
    const { code, complaint } = await new Promise<{ readonly code: number | null; readonly complaint: string }>(
      (resolve, reject) => {
        const child = spawn(binary, [...args], { cwd: folder, env, signal, stdio: ["ignore", "ignore", "pipe"] });
        let complaint = "";
        child.stderr.on("data", (text: Buffer) => {
          complaint = `${complaint}${text.toString("utf8")}`.slice(-2000);
        });
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, complaint }));
      },
    );
    const seconds = (performance.now() - started) / 1000;
    if (code === null || !exitCodes.includes(code))
      throw new DriftlessError("cluster", `kubectl ${args[0] ?? ""} ended with ${code ?? "a signal"}: ${complaint.trim()}`);
    const after = await endedChildrenSeconds();
    return { seconds, cpuSeconds: before === undefined || after === undefined ? undefined : after - before };
  };
}
