import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ensureRenderHelper } from "../../cli/local/binaries.ts";
import { git } from "../../cli/local/git-client.ts";
import { DriftlessError } from "../../lib/errors.ts";
import type { SourceTree } from "../../lib/model/tree.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../lib/render/renderer.ts";
import { createSources } from "../../lib/source/sources.ts";
import { helmBinary } from "../../test/support/helm-cli.ts";
import type { Bed } from "../bed.ts";
import { median } from "../figures.ts";
import { type Sample, sampleCharts, sampleOverlays } from "../render-samples.ts";
import { type BenchCase, figures } from "./case.ts";

const applications = 100;
const objectsOfEach = 4;
const repetitions = 2;
const execute = promisify(execFile);

interface Comparison {
  readonly samples: Sample;
  /** The folder of one application. */
  readonly folderOf: (index: number) => string;
  /** Renders one application in a process of its own. */
  readonly alone: (folder: string) => Promise<unknown>;
}

interface Measured {
  /** From the start of a helper to the last object of the last application. */
  readonly started: number;
  /** The same again, by the helper that runs. */
  readonly warm: number;
  readonly alone: number;
}

/** In turns, so that what else the machine does falls on both. */
async function compare(bed: Bed, { samples, folderOf, alone }: Comparison): Promise<Measured> {
  const helper = await ensureRenderHelper(bed.progress);
  const root = await mkdtemp(join(tmpdir(), "driftless-bench-render-"));
  try {
    for (const [path, text] of Object.entries(samples)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await git(root, "init", "--quiet", "--initial-branch=main");
    await git(root, "add", ".");
    await git(root, "commit", "--quiet", "--message=samples");
    const commit = await git(root, "rev-parse", "HEAD");
    const tree = await createSources().source(root).open(commit);
    const all = (renderer: Renderer) => timed(() => renderAll(renderer, { root, tree, folderOf }));
    // The commit's objects are in memory then, as they are after a fetch; the tools find the files in the system's cache.
    await using(helper, all);
    const turns: Measured[] = [];
    for (let turn = 0; turn < repetitions; turn++) {
      const [started, warm] = await using(helper, async (renderer) => [await all(renderer), await all(renderer)] as const);
      const one = await timed(async () => {
        for (let index = 0; index < applications; index++) {
          bed.signal.throwIfAborted();
          await alone(join(root, folderOf(index)));
        }
      });
      bed.progress(`${turn + 1}: ${started.toFixed(2)} s, then ${warm.toFixed(2)} s; alone ${one.toFixed(2)} s`);
      turns.push({ started, warm, alone: one });
    }
    const middle = (of: (turn: Measured) => number): number => median(turns.map(of));
    return { started: middle((turn) => turn.started), warm: middle((turn) => turn.warm), alone: middle((turn) => turn.alone) };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function using<T>(helper: string, work: (renderer: Renderer) => Promise<T>): Promise<T> {
  const renderer = createHelperRenderer({ helper });
  try {
    return await work(renderer);
  } finally {
    await renderer.close();
  }
}

async function renderAll(
  renderer: Renderer,
  { root, tree, folderOf }: { readonly root: string; readonly tree: SourceTree; readonly folderOf: Comparison["folderOf"] },
): Promise<void> {
  const rendering = Array.from({ length: applications }, (_, index) => {
    const source = { kind: "git", repository: root, targetRevision: "main", path: folderOf(index) } as const;
    return renderer.render({ application: "release-name", namespace: "", sources: [{ source, tree }], remoteBases: [] });
  });
  for (const { objects } of await Promise.all(rendering)) {
    if (objects.length !== objectsOfEach) throw new DriftlessError("render", `${objects.length} objects, not ${objectsOfEach}`);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function figuresOf(name: string, { tool, goal, measured }: { tool: string; goal: number; measured: Measured }) {
  const { started, warm, alone } = measured;
  return figures(
    { name: `${name}-time`, title: "all, from the start of the helper", value: started, unit: "s" },
    { name: `${name}-warm`, title: "all again, by the running helper", value: warm, unit: "s" },
    { name: `${name}-alone`, title: `${tool}, once for each, one after another`, value: alone, unit: "s" },
    { name: `${name}-ratio`, title: `from the start, in runs of ${tool}`, value: started / alone, unit: "x", goal },
    { name: `${name}-warm-ratio`, title: `again, in runs of ${tool}`, value: warm / alone, unit: "x" },
  );
}

export const renderCharts: BenchCase = {
  name: "render-charts",
  title: () => `Rendering ${applications} small charts (mean of ${repetitions})`,
  async run(bed) {
    const helm = await helmBinary();
    const alone = (folder: string) => execute(helm, ["template", "release-name", folder], { env: { HOME: tmpdir() } });
    const measured = await compare(bed, { samples: sampleCharts(applications), folderOf: (index) => `app-${index}`, alone });
    return figuresOf("render-charts", { tool: "helm template", goal: 1 / 20, measured });
  },
};

export const renderOverlays: BenchCase = {
  name: "render-overlays",
  title: () => `Building ${applications} small Kustomize overlays (mean of ${repetitions})`,
  async run(bed) {
    const alone = (folder: string) => bed.kubectl(["kustomize", folder], { exitCodes: [0], signal: bed.signal });
    const folderOf = (index: number): string => `app-${index}/overlays/prod`;
    const measured = await compare(bed, { samples: sampleOverlays(applications), folderOf, alone });
    return figuresOf("render-overlays", { tool: "kubectl kustomize", goal: 1 / 8, measured });
  },
};
