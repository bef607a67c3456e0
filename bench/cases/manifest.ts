import { parseAllDocuments } from "yaml";
import { ensureRenderHelper } from "../../cli/local/binaries.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { type JsonValue, parseJson } from "../../lib/model/json.ts";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import { fileEntry } from "../../lib/render/helper-protocol.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { median } from "../figures.ts";
import { installManifest } from "../install-manifest.ts";
import { type BenchCase, figures } from "./case.ts";

const rounds = 7;
const megabytes = 2;

/** From a file's text to objects in Node, the way through the pipe included; the other reader has no such way to go. */
export const manifest: BenchCase = {
  name: "manifest",
  title: () => `Reading large manifests (median of ${rounds})`,
  async run({ progress }) {
    const child = new HelperProcess({
      helper: await ensureRenderHelper(progress),
      timeoutMs: 60_000,
      concurrency: 1,
      log: silentLog,
    });
    try {
      const text = installManifest(megabytes * 1_000_000);
      const byHelper = () => read(child, text);
      const byPackage = async () => parseAllDocuments(text).map((document) => document.toJS() as unknown);
      await assertSame(byHelper, byPackage);
      const taken = { helper: [] as number[], package: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        taken.helper.push(await secondsOf(byHelper));
        taken.package.push(await secondsOf(byPackage));
      }
      return figures(
        {
          name: "manifest-read",
          title: `an install manifest of ${megabytes} MB, read by the helper`,
          value: median(taken.helper),
          unit: "s",
        },
        {
          name: "manifest-yaml-package",
          title: "the same, by the package `yaml` (parseDocument, toJS)",
          value: median(taken.package),
          unit: "s",
        },
        {
          name: "manifest-ratio",
          title: "by the helper, in readings by the package `yaml`",
          value: median(taken.helper) / median(taken.package),
          unit: "x",
          goal: 1 / 8,
        },
        {
          name: "manifest-keys",
          title: "100,000 keys in one map",
          value: await secondsOf(() => read(child, manyKeys())),
          unit: "s",
          goal: 3,
        },
        {
          name: "manifest-aliases",
          title: "10,000 aliases",
          value: await secondsOf(() => read(child, manyAliases())),
          unit: "s",
          goal: 3,
        },
      );
    } finally {
      await child.close();
    }
  },
};

async function read(child: HelperProcess, text: string): Promise<readonly JsonValue[]> {
  const entries = [fileEntry({ path: "manifest.yaml", content: Buffer.from(text) })];
  const request = { op: "decode", path: "manifest.yaml", entries } as const;
  const { objects = [], error } = await child.run({ request, lookup: async () => [] });
  if (error !== undefined) throw new DriftlessError("render", `the helper refused the manifest: ${error.message}`);
  return objects.map(parseJson);
}

/** Both have read everything: a reader that stops early is fast. */
async function assertSame(...readers: readonly (() => Promise<readonly unknown[]>)[]): Promise<void> {
  const lengths = await Promise.all(readers.map(async (reader) => JSON.stringify(await reader()).length));
  if (new Set(lengths).size !== 1) throw new DriftlessError("render", `the readers differ: ${lengths.join(" and ")} characters`);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function manyKeys(): string {
  return Array.from({ length: 100_000 }, (_, index) => `key-${index}: value\n`).join("");
}

function manyAliases(): string {
  return `base: &base {name: web, ports: [80, 443]}\nlist:\n${"- *base\n".repeat(10_000)}`;
}
