import { randomBytes, randomUUID } from "node:crypto";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { git } from "../cli/local/git-client.ts";
import { type PushedRef, startGitServer } from "../cli/local/git-server.ts";
import { type Installation, startInstallation } from "../cli/local/installation.ts";
import { pushDelivery } from "../cli/local/push-event.ts";
import { DriftlessError } from "../lib/errors.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import type { BenchCluster } from "./cluster.ts";
import { createFunctionEvents, type FunctionEvents } from "./events.ts";

/** One repository, and an installation of Driftless of its own that delivers it to a cluster. */
export interface Fleet {
  /** Where it delivers to now. */
  readonly cluster: BenchCluster;
  readonly installation: Installation;
  readonly events: FunctionEvents;
  /** A value that no Deployment of it has had yet. */
  newMark(): string;
  /** Writes files, commits and pushes them; no webhook is sent. */
  push(files: Readonly<Record<string, string>>): Promise<PushedRef>;
  /** Sends the signed webhook of a push; `id` is the delivery's, by which its events are known. */
  deliver(push: PushedRef, id?: string): Promise<void>;
  /** Asks the API of Driftless for an action, by its path below `/api`. */
  act(path: string): Promise<void>;
  /** From now on its cluster's name means another one; the functions start anew, as in an environment that never knew the old one. */
  moveTo(cluster: BenchCluster): Promise<void>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly cluster: BenchCluster;
  /** Path of the render helper's binary. */
  readonly renderHelper: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts it; what was started is ended again when that fails half-way. */
export async function startFleet({ cluster: first, renderHelper, progress, signal }: FleetOptions): Promise<Fleet> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  try {
    const root = await mkdtemp(join(tmpdir(), "driftless-bench-"));
    closing.unshift(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
    const repository = await createRepository(root);
    closing.unshift(() => repository.close());
    const kubeconfig = join(root, "kubeconfig");
    const { installationKubeconfig, auditPort } = first.controlPlane;
    await copyFile(installationKubeconfig, kubeconfig);
    const events = createFunctionEvents({ signal });
    const webhookSecret = randomBytes(20).toString("hex");
    const installation = await startInstallation({
      kubeconfig,
      renderHelper,
      configRepository: repository.url,
      webhookSecret,
      ...(auditPort === undefined ? {} : { audit: { port: auditPort, context: "admin" } }),
      log: silentLog,
      onLine: (line) => events.write(line),
    });
    closing.unshift(() => installation.close());
    const send = async (path: string, init: Pick<RequestInit, "body" | "headers">): Promise<void> => {
      const answer = await fetch(`${installation.url}${path}`, { ...init, method: "POST", signal });
      const text = await answer.text();
      if (!answer.ok) throw new DriftlessError("webhook", `POST ${path} was answered with ${answer.status}: ${text}`);
    };
    let cluster = first;
    let marks = 0;
    return {
      get cluster() {
        return cluster;
      },
      installation,
      events,
      newMark: () => `mark-${++marks}`,
      push: (files) => repository.push(files),
      deliver: (push, id = randomUUID()) => send("/webhook", pushDelivery(push, { secret: webhookSecret, id })),
      act: (path) => send(`/api${path}`, { body: "{}", headers: { "content-type": "application/json" } }),
      async moveTo(next) {
        cluster = next;
        await copyFile(next.controlPlane.installationKubeconfig, kubeconfig);
        installation.lambda.kill();
      },
      progress,
      signal,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createRepository(root: string) {
  let pushed: ((push: PushedRef) => void) | undefined;
  const server = await startGitServer({ root: join(root, "server"), onPush: (push) => pushed?.(push) });
  const { url } = await server.createRepository("fleet");
  const folder = join(root, "work");
  await mkdir(folder);
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "remote", "add", "origin", url);
  return {
    url,
    close: () => server.close(),
    async push(files: Readonly<Record<string, string>>): Promise<PushedRef> {
      await writeFiles(folder, files);
      await git(folder, "add", "--all");
      await git(folder, "commit", "--quiet", "--message=change");
      const arrived = new Promise<PushedRef>((resolve) => {
        pushed = resolve;
      });
      await git(folder, "push", "--quiet", "origin", "HEAD:main");
      return arrived;
    },
  };
}

/** Writes texts below a folder, by their paths in it. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folders = new Set(Object.keys(files).map((name) => dirname(join(folder, name))));
  for (const each of folders) await mkdir(each, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
