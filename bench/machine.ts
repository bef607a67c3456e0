import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { systemClock, timestamp } from "../lib/telemetry/clock.ts";
import { callApi } from "../test/control-plane/api.ts";
import type { ControlPlane } from "../test/control-plane/control-plane.ts";
import type { Machine } from "./report.ts";

/** Load average of the last minute. */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN;
}

/** What the figures are measured on; `before` is the load before the first case. */
export async function describeMachine(controlPlane: ControlPlane, { before }: { readonly before: number }): Promise<Machine> {
  const { text } = await callApi({ ...controlPlane, token: controlPlane.tokens.admin }, "/version");
  const { gitVersion } = JSON.parse(text) as { readonly gitVersion: string };
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: process.platform,
    node: process.versions.node,
    kubernetes: gitVersion.replace(/^v/, ""),
    load: [before, loadNow()],
    date: timestamp(systemClock).slice(0, 10),
  };
}
