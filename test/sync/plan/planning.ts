import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { type CreatedRepository, type LocalGitServer, startGitServer } from "../../../cli/local/git-server.ts";
import { createTable, openTable, startTable } from "../../../cli/local/table.ts";
import { DriftlessError } from "../../../lib/errors.ts";
import type { ClusterCapabilities } from "../../../lib/model/application-source.ts";
import type { Delivery } from "../../../lib/model/delivery.ts";
import type { ApplicationState, SyncBatch } from "../../../lib/model/sync.ts";
import type { SyncStarter } from "../../../lib/queue/queue.ts";
import { createHelperRenderer } from "../../../lib/render/helper-renderer.ts";
import type { Renderer } from "../../../lib/render/renderer.ts";
import { createSources } from "../../../lib/source/sources.ts";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import type { TableClient } from "../../../lib/store/table-client.ts";
import { createPlanRevision } from "../../../lib/sync/plan/plan-revision.ts";
import { createSweep, type SweepResult } from "../../../lib/sync/sweep/sweep.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { aDelivery, aSync } from "../../contracts/rows.ts";
import { helperBinary } from "../../render/helper.ts";
import { commit, type Files } from "../../source/repositories.ts";

/** A platform repository with its own plans, on the real table, Git server and renderer; runs are only written down. */
export interface Planning {
  readonly server: LocalGitServer;
  /** Holds `driftless.yaml`. */
  readonly platform: CreatedRepository;
  readonly createRepository: () => Promise<CreatedRepository>;
  /** Commits files (null deletes); returns the commit id. */
  readonly commit: (repository: CreatedRepository, files: Files, branch?: string) => Promise<string>;
  /** Plans a push as the queue hands it over; returns what its delivery's row says then. */
  readonly push: (
    repository: CreatedRepository,
    options?: { readonly branch?: string; readonly id?: string; readonly repositoryId?: number },
  ) => Promise<Delivery | undefined>;
  readonly stores: Stores;
  readonly state: (application: string) => Promise<ApplicationState | undefined>;
  /** As after a run: these have synced their newest desired state, and what was started or rendered so far is an old story. */
  readonly withRuns: (...applications: readonly string[]) => Promise<void>;
  /** What was started since the last look: `cluster: application application`. */
  readonly started: () => readonly string[];
  /** Folders that were rendered since the last look. */
  readonly rendered: () => readonly string[];
  /** Clusters that were asked what they can do, since the last look. */
  readonly askedClusters: () => readonly string[];
  /** What clusters answer from now on; at first Kubernetes 1.35.4 with no more than `v1`. */
  readonly tellCapabilities: (answer: () => Promise<ClusterCapabilities>) => void;
  /** Makes the next start fail for a passing reason. */
  readonly failNextStart: () => void;
  /** What the clock says from now on; at first 2025-03-01T12:00:00.000Z. */
  readonly setTime: (time: string) => void;
  /** Sweeps while no cluster can be reached: there is no drift to be seen. */
  readonly sweep: () => Promise<SweepResult>;
  /** Writes a state as somebody else would. */
  readonly changeState: (application: string, change: (state: ApplicationState) => ApplicationState) => Promise<void>;
}

/** Opens the services before the first test of the suite at hand; each call of what it returns is an installation of its own. */
export function planningAround(): () => Promise<Planning> {
  const opened: { server?: LocalGitServer; renderer?: Renderer; client?: TableClient } = {};
  const closing: (() => unknown)[] = [];
  before(async () => {
    const root = await mkdtemp(join(tmpdir(), "driftless-planning-"));
    closing.unshift(() => rm(root, { recursive: true, force: true }));
    const [server, table] = await Promise.all([startGitServer({ root }), startTable()]);
    const client = openTable(table.endpoint);
    const renderer = createHelperRenderer({ helper: await helperBinary() });
    closing.unshift(
      () => renderer.close(),
      () => client.close(),
      () => table.close(),
      () => server.close(),
    );
    Object.assign(opened, { server, renderer, client });
  });
  after(async () => {
    for (const close of closing) await close();
  });

  return async () => {
    const { server, renderer, client } = opened;
    if (server === undefined || renderer === undefined || client === undefined) throw new Error("the suite has not begun");
    const table = `planning-${randomUUID()}`;
    await createTable({ client, table });
    const time = { is: "2025-03-01T12:00:00.000Z" };
    const clock = { now: () => new Date(time.is) };
    const snapshotKey = new Secret(randomBytes(32).toString("base64"));
    const stores = createDynamoStores({ client, table, clock, snapshotKey });
    const platform = await server.createRepository(`platform-${randomUUID()}`);
    const batches: SyncBatch[] = [];
    const folders: string[] = [];
    const faults: DriftlessError[] = [];
    const starter: SyncStarter = {
      start(batch) {
        const fault = faults.pop();
        if (fault !== undefined) return Promise.reject(fault);
        batches.push(batch);
        return Promise.resolve();
      },
    };
    const asked: string[] = [];
    const answers: (() => Promise<ClusterCapabilities>)[] = [];
    const plan = createPlanRevision({
      stores: stores,
      sources: createSources(),
      capabilities: (cluster) => {
        asked.push(cluster);
        return (answers[0] ?? (async () => ({ kubeVersion: "v1.35.4", apiVersions: ["v1"] })))();
      },
      starter,
      renderer: {
        render: (request, options) => {
          folders.push(...request.sources.flatMap(({ source }) => (source.kind === "git" ? (source.path ?? []) : [])));
          return renderer.render(request, options);
        },
        close: () => Promise.resolve(),
      },
      configuration: { repository: platform.url, branch: "main", path: "driftless.yaml" },
      clock,
      log: silentLog,
    });
    const away = () => Promise.reject(new DriftlessError("cluster", "nobody answers", { retryable: true }));
    const sweep = createSweep({
      stores,
      sources: createSources(),
      clusters: { reader: away, writer: away },
      queue: { send: () => Promise.resolve() },
      starter,
      configuration: { repository: platform.url, branch: "main", path: "driftless.yaml" },
      newId: randomUUID,
      clock,
      log: silentLog,
    });
    return {
      server,
      platform,
      createRepository: () => server.createRepository(`apps-${randomUUID()}`),
      commit: ({ path }, files, branch = "main") => commit(path, files, { branch }),
      push: async ({ url }, { branch = "main", id = randomUUID(), repositoryId } = {}) => {
        await stores.deliveries.receive(aDelivery({ id, repository: url, branch, state: "received" }));
        await plan({
          repository: url,
          branch,
          correlationId: id,
          after: "",
          ...(repositoryId === undefined ? {} : { repositoryId }),
        });
        return (await stores.deliveries.list({ limit: 1000 })).items.find((row) => row.id === id);
      },
      stores,
      state: (application) => stores.applications.get(application),
      withRuns: async (...applications) => {
        batches.splice(0);
        folders.splice(0);
        for (const application of applications) {
          const state = await stores.applications.get(application);
          if (state?.desired === undefined) throw new Error(`${application} was not planned`);
          const { generation, revision, snapshot } = state.desired;
          const lastSync = aSync({ application, generation, revision, snapshot, phase: "Succeeded" });
          await stores.applications.put({ ...state, lastSync, version: state.version + 1 });
        }
      },
      started: () =>
        batches.splice(0).map(({ cluster, applications }) => `${cluster}: ${applications.map(({ name }) => name).join(" ")}`),
      rendered: () => folders.splice(0).toSorted(),
      askedClusters: () => asked.splice(0),
      tellCapabilities: (answer) => void answers.splice(0, 1, answer),
      setTime: (now) => {
        time.is = now;
      },
      sweep,
      changeState: async (application, change) => {
        const state = await stores.applications.get(application);
        if (state === undefined) throw new Error(`${application} is not there`);
        await stores.applications.put({ ...change(state), version: state.version + 1 });
      },
      failNextStart: () => void faults.push(new DriftlessError("queue", "Lambda is away", { retryable: true })),
    };
  };
}

export interface PlannedApplication {
  readonly path?: string;
  readonly cluster?: string;
  readonly repository?: string;
  readonly branch?: string;
  /** In place of a path: the list as YAML. */
  readonly sources?: string;
  readonly namespace?: string;
  /** Further keys, as YAML in flow style: `drift: report, sync: { mode: manual }`. */
  readonly policies?: string;
}

/** `driftless.yaml` with two clusters, `eu` and `us`, and applications that live in the folder of their name; `more` are further lines. */
export function aConfiguration(applications: Readonly<Record<string, PlannedApplication>>, more = ""): string {
  const lines = Object.entries(applications).map(
    ([name, { path = name, cluster = "eu", repository, branch, sources, namespace = "shop", policies }]) => {
      const source = `${repository === undefined ? "" : `, repository: "${repository}"`}${branch === undefined ? "" : `, targetRevision: ${branch}`}`;
      const from = sources === undefined ? `path: ${path}` : `sources: ${sources}`;
      return `  - { name: ${name}, ${from}, cluster: ${cluster}, namespace: ${namespace}${source}${policies === undefined ? "" : `, ${policies}`} }\n`;
    },
  );
  const clusters = "clusters:\n  - { name: eu, context: eu }\n  - { name: us, context: us }\n";
  return `${clusters}applications:${lines.length === 0 ? " []" : `\n${lines.join("")}`}\n${more}`;
}

/** `driftless.yaml` with clusters `eu` and `us` and these projects, which allow what they want; each names `apps.yaml` of its repositories. */
export function aPlatform(
  projects: Readonly<Record<string, readonly Pick<CreatedRepository, "url">[]>>,
  { limits = "", more = "applications: []\n" }: { readonly limits?: string; readonly more?: string } = {},
): string {
  const lines = Object.entries(projects).map(([name, repositories]) => {
    const files = repositories.map(({ url }) => `{ repository: "${url}", path: apps.yaml }`);
    const allowed = limits === "" ? 'sourceRepos: ["*"], destinations: [{ cluster: "*", namespace: "*" }]' : limits;
    return `  - { name: ${name}, identity: installation, ${allowed}, applicationFiles: [${files.join(", ")}] }\n`;
  });
  return `clusters:\n  - { name: eu, context: eu }\n  - { name: us, context: us }\nprojects:\n${lines.join("")}${more}`;
}
