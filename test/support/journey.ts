import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ensureRenderHelper } from "../../cli/local/binaries.ts";
import { git } from "../../cli/local/git-client.ts";
import { type PushedRef, startGitServer } from "../../cli/local/git-server.ts";
import { type Installation, type InstallationOptions, startInstallation } from "../../cli/local/installation.ts";
import { pushDelivery } from "../../cli/local/push-event.ts";
import type { SweepReport } from "../../lib/model/drift.ts";
import type { ApplicationState, SyncRecord } from "../../lib/model/sync.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane } from "./cluster.ts";
import { type GithubStandIn, startGithub } from "./github.ts";

const execute = promisify(execFile);

export const webhookSecret = "journey-webhook-secret";

/** One log event of the functions. */
export type LogEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export interface JourneyOptions {
  readonly controlPlane?: ControlPlane;
  readonly onCheckpoint?: InstallationOptions["onCheckpoint"];
  /** False: a push reaches the repository, and no webhook is sent. */
  readonly webhooks?: boolean;
  readonly configPath?: string;
  /** True keeps the repository, private, on a GitHub of its own, which Driftless reads as an App. */
  readonly onGithub?: boolean;
  readonly sops?: NonNullable<InstallationOptions["sops"]>;
  /** Sets up what the journey is of; the functions' sources in one process when absent. */
  readonly install?: (options: InstallationOptions) => Promise<Installation>;
}

/** A whole Driftless with its own repository, table and queue, on the real API server. */
export interface Journey {
  readonly installation: Installation;
  readonly controlPlane: ControlPlane;
  /** Where the repository is, when it is there. */
  readonly github: GithubStandIn | undefined;
  /** Clone URL. */
  readonly repository: string;
  readonly folder: string;
  /** Every push that the Git server saw, whether or not a webhook was sent. */
  readonly pushes: PushedRef[];
  readonly events: LogEvent[];
  /** Writes files (null deletes), commits and pushes them, to main unless a branch is named; returns the commit id. */
  push(files: Readonly<Record<string, string | null>>, branch?: string): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
  /** kubectl as cluster-admin; returns its output. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** A field of a live object by kubectl's jsonpath; "" when the object is not there. */
  field(object: readonly [kind: string, namespace: string, name: string], path: string): Promise<string>;
  state(application: string): Promise<ApplicationState | undefined>;
  /** Waits for a sync of this revision to end, and returns its row. */
  synced(application: string, revision: string): Promise<SyncRecord>;
  syncs(application: string): Promise<readonly SyncRecord[]>;
  sweep(): Promise<{
    readonly reports: readonly SweepReport[];
    readonly movedHeads: readonly string[];
    readonly released: readonly string[];
    readonly restarted: readonly string[];
  }>;
  /** Takes the Git server down, for the rest of the journey. */
  stopGit(): Promise<void>;
  close(): Promise<void>;
}

export async function startJourney(options: JourneyOptions = {}): Promise<Journey> {
  const controlPlane = options.controlPlane ?? (await sharedControlPlane());
  const root = await mkdtemp(join(tmpdir(), "driftless-journey-"));
  const folder = join(root, "work");
  const pushes: PushedRef[] = [];
  const events: LogEvent[] = [];
  let webhook: string | undefined;
  let gitRuns = true;
  const served = {
    root: join(root, "server"),
    onPush: async (push: PushedRef) => {
      pushes.push(push);
      if (webhook === undefined || options.webhooks === false) return;
      const repositoryId = github?.idOf(push.repository) ?? 1;
      const { body, headers } = pushDelivery(push, { secret: webhookSecret, repositoryId });
      await fetch(webhook, { method: "POST", body, headers });
    },
  };
  const github = options.onGithub === true ? await startGithub(served) : undefined;
  const server = github?.server ?? (await startGitServer(served));
  const { url } = (await github?.createRepository("acme/fleet")) ?? (await server.createRepository("fleet"));
  github?.install("acme");
  await mkdir(folder);
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "remote", "add", "origin", url);
  const { install = startInstallation } = options;
  const installation = await install({
    kubeconfig: controlPlane.installationKubeconfig,
    renderHelper: await ensureRenderHelper((line) => process.stderr.write(`${line}\n`)),
    configRepository: url,
    webhookSecret,
    log: silentLog,
    logLevel: "debug",
    onLine: (line) => events.push(parseEvent(line)),
    ...(github === undefined ? {} : { github: { apiUrl: github.apiUrl, secret: github.secret } }),
    ...(options.sops === undefined ? {} : { sops: options.sops }),
    ...(controlPlane.auditPort === undefined ? {} : { audit: { port: controlPlane.auditPort, context: "admin" } }),
    ...(options.configPath === undefined ? {} : { configPath: options.configPath }),
    ...(options.onCheckpoint === undefined ? {} : { onCheckpoint: options.onCheckpoint }),
  });
  webhook = `${installation.url}/webhook`;

  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await execute(controlPlane.kubectl, [...args], {
      env: { KUBECONFIG: controlPlane.kubeconfig, HOME: root },
    });
    return stdout.trim();
  };
  const { stores } = installation;
  const syncs = async (application: string): Promise<readonly SyncRecord[]> => (await stores.syncs.list(application)).items;
  return {
    installation,
    controlPlane,
    github,
    repository: url,
    folder,
    pushes,
    events,
    kubectl,
    syncs,
    git: (...args) => git(folder, ...args),
    async push(files, branch = "main") {
      for (const [name, text] of Object.entries(files)) await writeOrRemove(join(folder, name), text);
      await git(folder, "add", "--all");
      await git(folder, "commit", "--quiet", "--message=change");
      await git(folder, "push", "--quiet", "--force", "origin", `HEAD:${branch}`);
      return git(folder, "rev-parse", "HEAD");
    },
    field: ([kind, namespace, name], path) =>
      kubectl("get", kind, "-n", namespace, name, "--ignore-not-found", "-o", `jsonpath={${path}}`),
    state: (application) => stores.applications.get(application),
    synced: (application, revision) =>
      eventually(`sync of ${application} at ${revision.slice(0, 7)}`, async () => {
        const row = (await syncs(application)).find((sync) => sync.revision === revision && sync.finishedAt !== "");
        // A run writes its row first and gives the lease back last: by then the application's state is written too.
        const lease = await stores.leases.get(application);
        return row !== undefined && (row.phase === "Superseded" || lease?.generation !== row.generation) ? row : undefined;
      }),
    async sweep() {
      const result = await installation.sweep();
      if ("error" in result) throw new Error(`the sweep failed: ${result.error.errorMessage}`);
      return result.payload as Awaited<ReturnType<Journey["sweep"]>>;
    },
    async stopGit() {
      gitRuns = false;
      await server.close();
    },
    async close() {
      await installation.close();
      if (gitRuns) await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Polls until something is there; fails by its name after `seconds`. */
export function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<Exclude<T, undefined | false>> {
  return until(probe, { what, withinMs: seconds * 1000 });
}

function parseEvent(line: string): LogEvent {
  try {
    return JSON.parse(line) as LogEvent;
  } catch {
    return { event: "not-json", line };
  }
}

async function writeOrRemove(file: string, text: string | null): Promise<void> {
  if (text === null) return rm(file);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
