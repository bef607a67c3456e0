import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureRenderHelper } from "../cli/local/binaries.ts";
import { git } from "../cli/local/git-client.ts";
import { startGitServer } from "../cli/local/git-server.ts";
import { createTable, openTable, startTable } from "../cli/local/table.ts";
import type { ApplicationState } from "../lib/model/sync.ts";
import { createHelperRenderer } from "../lib/render/helper-renderer.ts";
import { createSources } from "../lib/source/sources.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import { createPlanRevision } from "../lib/sync/plan/plan-revision.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import { Secret } from "../lib/telemetry/secret.ts";

/** The plan function's work alone: a repository over HTTP, the table, the renderer; runs are not started, no cluster is there. */
export interface PlanBed {
  /** Commits and pushes files. */
  readonly push: (files: Readonly<Record<string, string>>) => Promise<void>;
  /** Plans the head of main, as after a webhook. */
  readonly plan: () => Promise<PlanTimes>;
  close(): Promise<void>;
}

export interface PlanTimes {
  readonly seconds: number;
  readonly renders: number;
  /** Applications whose desired state is new. */
  readonly started: number;
  readonly blobs: number;
}

export async function startPlanBed(progress: (line: string) => void): Promise<PlanBed> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  try {
    const root = await mkdtemp(join(tmpdir(), "driftless-bench-plan-"));
    closing.unshift(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
    const [server, service, helper] = await Promise.all([
      startGitServer({ root: join(root, "server") }),
      startTable(),
      ensureRenderHelper(progress),
    ]);
    const client = openTable(service.endpoint);
    const renderer = createHelperRenderer({ helper });
    closing.unshift(
      () => renderer.close(),
      () => client.close(),
      () => service.close(),
      () => server.close(),
    );
    await createTable({ client, table: "plan" });
    const stores = createDynamoStores({
      client,
      table: "plan",
      clock,
      snapshotKey: new Secret(randomBytes(32).toString("base64")),
    });
    const repository = await server.createRepository("fleet");
    const folder = join(root, "work");
    await mkdir(folder);
    await git(folder, "init", "--quiet", "--initial-branch=main");
    await git(folder, "remote", "add", "origin", repository.url);

    let renders = 0;
    let started = 0;
    let blobs = 0;
    const sources = createSources();
    const plan = createPlanRevision({
      stores,
      sources: {
        source(url) {
          const source = sources.source(url);
          return {
            head: (branch, options) => source.head(branch, options),
            async open(commit, options) {
              const tree = await source.open(commit, options);
              return {
                commit: tree.commit,
                lookup: (path, given) => tree.lookup(path, given),
                list: (oid, given) => tree.list(oid, given),
                read(oids, given) {
                  blobs += oids.length;
                  return tree.read(oids, given);
                },
              };
            },
          };
        },
      },
      renderer: {
        render(request, options) {
          renders += 1;
          return renderer.render(request, options);
        },
        close: () => renderer.close(),
      },
      capabilities: async () => ({ kubeVersion: "v1.35.4", apiVersions: ["v1"] }),
      starter: {
        // As after a run that succeeded: the next plan has nothing left to start.
        async start(batch) {
          started += batch.applications.length;
          await Promise.all(batch.applications.map(({ name }) => asSynced(name)));
        },
      },
      configuration: { repository: repository.url, branch: "main", path: "driftless.yaml" },
      clock,
      log: silentLog,
    });

    const asSynced = async (name: string): Promise<void> => {
      const state = await stores.applications.get(name);
      if (state?.desired === undefined) return;
      const { generation, revision, snapshot } = state.desired;
      const lastSync = { application: name, generation, revision, snapshot, phase: "Succeeded" } as ApplicationState["lastSync"];
      await stores.applications.put({ ...state, ...(lastSync ? { lastSync } : {}), version: state.version + 1 });
    };

    return {
      async push(files) {
        const folders = new Set(Object.keys(files).map((name) => dirname(join(folder, name))));
        for (const each of folders) await mkdir(each, { recursive: true });
        for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
        await git(folder, "add", "--all");
        await git(folder, "commit", "--quiet", "--message=change");
        await git(folder, "push", "--quiet", "origin", "HEAD:main");
      },
      async plan() {
        renders = 0;
        started = 0;
        blobs = 0;
        const began = performance.now();
        await plan({ repository: repository.url, branch: "main", correlationId: randomUUID(), after: "" });
        return { seconds: (performance.now() - began) / 1000, renders, started, blobs };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
