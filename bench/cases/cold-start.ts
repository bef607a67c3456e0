import { spawn } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { startSecrets } from "../../cli/local/secrets.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { bundleClients, bundleFunctions } from "../bundles.ts";
import { type Figure, median } from "../figures.ts";
import type { BenchCase } from "./case.ts";

interface Budget {
  /** Thousands of bytes. */
  readonly bundle: number;
  /** Milliseconds. */
  readonly cpu: number;
}

const small: Budget = { bundle: 600, cpu: 80 };
const large: Budget = { bundle: 1000, cpu: 120 };
const budgets: Readonly<Record<string, Budget>> = {
  webhook: small,
  plan: large,
  sync: large,
  sweep: large,
  shard: large,
  audit: large,
  preview: large,
  api: large,
};
const starts = 15;

/** CPU of the import of the five clients, in milliseconds, on the machine that the budgets were set on. */
const clientsThere = 78;
const clientsName = "five clients of AWS";

/** What the functions read when they start, whichever of them it is. */
const environment = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  DRIFTLESS_TABLE: "driftless-prod",
  DRIFTLESS_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/000000000000/revisions.fifo",
  DRIFTLESS_WEBHOOK_SECRET_ID: "webhook",
  DRIFTLESS_SNAPSHOT_KEY_ID: "snapshot-key",
  DRIFTLESS_GITHUB_SECRET_ID: "github",
  DRIFTLESS_CONFIG_REPOSITORY: "https://github.com/acme/platform",
  DRIFTLESS_RENDER_HELPER: "/var/task/dist/bin/render-helper",
  DRIFTLESS_SYNC_FUNCTION: "driftless-prod-sync:durable",
  DRIFTLESS_SWEEP_FUNCTION: "driftless-prod-sweep",
  DRIFTLESS_PREVIEW_FUNCTION: "driftless-prod-preview",
};

/** Prints the milliseconds of CPU, of user and system and of all threads, from the import's begin to its end. */
const importer = `const before = process.cpuUsage();
await import(process.argv[1]);
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000), () => process.exit(0));`;

async function importCost(bundle: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<number> {
  const args = ["--input-type=module", "--eval", importer, pathToFileURL(bundle).href];
  const child = spawn(process.execPath, args, { env, signal, stdio: ["ignore", "pipe", "pipe"] });
  const [printed, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const cost = Number.parseFloat(printed);
  if (Number.isNaN(cost)) throw new DriftlessError("config", `${path.basename(bundle)} did not start: ${complaint.slice(-2000)}`);
  return cost;
}

export const coldStart: BenchCase = {
  name: "cold-start",
  title: () => `Cold start: bundles as they are deployed, and what their import costs (median of ${starts} processes)`,
  async run({ signal, progress }) {
    const folder = await mkdtemp(path.join(tmpdir(), "driftless-bench-bundles-"));
    const secrets = await startSecrets({
      secrets: { "snapshot-key": Buffer.alloc(32, 7).toString("base64"), webhook: "secret" },
    });
    const env = { ...environment, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint };
    try {
      const names = Object.keys(budgets);
      await bundleFunctions(names, folder);
      await bundleClients(path.join(folder, `${clientsName}.mjs`));
      const costs = new Map([clientsName, ...names].map((name) => [name, [] as number[]]));
      for (let start = 0; start < starts; start++) {
        for (const [name, known] of costs) known.push(await importCost(path.join(folder, `${name}.mjs`), env, signal));
      }
      progress(`${starts} starts of each of ${names.length} functions`);
      const clients = median(costs.get(clientsName) ?? []);
      const figures = names.map(async (name): Promise<readonly Figure[]> => {
        const { size } = await stat(path.join(folder, `${name}.mjs`));
        const { bundle, cpu } = budgets[name] ?? large;
        const cost = median(costs.get(name) ?? []);
        const title = `${name}: CPU of the import`;
        const goal = Math.round((100 * cpu) / clientsThere) / 100;
        return [
          { name: `cold-start-${name}-bundle`, title: `${name}: bundle`, value: size / 1000, unit: "KB", goal: bundle },
          { name: `cold-start-${name}-cpu`, title, value: cost, unit: "ms", goal: cpu },
          {
            name: `cold-start-${name}-cpu-ratio`,
            title: `${title}, to that of the clients`,
            value: cost / clients,
            unit: "x",
            goal,
          },
        ];
      });
      const title = `${clientsName} alone: CPU of the import (${clientsThere} ms where the budgets were set)`;
      return [{ name: "cold-start-clients-cpu", title, value: clients, unit: "ms" }, ...(await Promise.all(figures)).flat()];
    } finally {
      await secrets.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
