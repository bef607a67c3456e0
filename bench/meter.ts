import type { BenchCluster } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import { requestCounts, requestsBetween } from "./metrics.ts";
import { cpuSeconds } from "./processes.ts";

export type RequestsMade = ReturnType<typeof requestsBetween>;

/** CPU seconds spent; undefined where the system does not tell. */
export interface CpuSpent {
  readonly functions: number | undefined;
  /** This process: what stands for AWS and the Git host, and the measuring. */
  readonly localServices: number;
  readonly apiServer: number | undefined;
}

/** Starts to count CPU; the answer tells what was spent since. */
export async function startCpuMeter({ installation, cluster }: Fleet): Promise<() => Promise<CpuSpent>> {
  // In the order of their start: etcd, then the API server.
  const [, apiServer] = cluster.controlPlane.pids();
  const read = async () => {
    const { user, system } = process.cpuUsage();
    const [functions, server] = await Promise.all([cpuSeconds(installation.lambda.pid), cpuSeconds(apiServer)]);
    return { functions, localServices: (user + system) / 1e6, apiServer: server };
  };
  const before = await read();
  return async () => {
    const after = await read();
    return {
      functions: difference(before.functions, after.functions),
      localServices: after.localServices - before.localServices,
      apiServer: difference(before.apiServer, after.apiServer),
    };
  };
}

/** Starts to count requests by the API server's own metrics; the answer tells how many were answered since. */
export async function startRequestMeter({ controlPlane }: BenchCluster): Promise<() => Promise<RequestsMade>> {
  const before = requestCounts(await controlPlane.metrics());
  return async () => requestsBetween(before, requestCounts(await controlPlane.metrics()));
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
