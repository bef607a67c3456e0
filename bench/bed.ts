import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureRenderHelper } from "../cli/local/binaries.ts";
import { git } from "../cli/local/git-client.ts";
import { type PushedRef, startGitServer } from "../cli/local/git-server.ts";
import { type Installation, startInstallation } from "../cli/local/installation.ts";
import { pushDelivery } from "../cli/local/push-event.ts";
import { mapConcurrently } from "../lib/cluster/concurrency.ts";
import { DriftlessError } from "../lib/errors.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import { callApi } from "../test/control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../test/control-plane/control-plane.ts";
import { applicationNames } from "./applications.ts";
import { type DeploymentWatch, watchDeployments } from "./deployments.ts";
import { createFunctionEvents, type FunctionEvents } from "./events.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";

/** Everything that the cases run on: one control plane, one installation, one repository, and the same applications again for kubectl. */
export interface Bed {
  readonly controlPlane: ControlPlane;
  readonly installation: Installation;
  readonly deployments: DeploymentWatch;
  readonly events: FunctionEvents;
  readonly kubectl: Kubectl;
  /** Applications that Driftless delivers. */
  readonly names: readonly string[];
  /** As many with the same content, in namespaces of their own, for kubectl. */
  readonly kubectlNames: readonly string[];
  /** A value that no Deployment has had yet. */
  newMark(): string;
  /** Writes files, commits and pushes them; no webhook is sent. */
  push(files: Readonly<Record<string, string>>): Promise<PushedRef>;
  /** Writes files for kubectl. */
  writeForKubectl(files: Readonly<Record<string, string>>): Promise<void>;
  /** Sends the signed webhook of a push; `id` is the delivery's, by which its events are known. */
  deliver(push: PushedRef, id?: string): Promise<void>;
  /** One call of the Kubernetes API as cluster-admin; throws `cluster` for any answer but success. */
  api(path: string, call: { readonly method: string; readonly body?: unknown; readonly contentType?: string }): Promise<void>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

export interface BedOptions {
  readonly applications: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts it all; what was started is ended again when that fails half-way. */
export async function startBed({ applications, progress, signal }: BedOptions): Promise<Bed> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  try {
    const root = await mkdtemp(join(tmpdir(), "driftless-bench-"));
    closing.unshift(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
    const renderHelper = await ensureRenderHelper(progress);
    const controlPlane = await startControlPlane({ progress });
    closing.unshift(() => controlPlane.stop());
    signal.throwIfAborted();
    if (!controlPlane.controllers)
      throw new DriftlessError("config", "the benchmark needs a control plane with controllers: unset KUBEBUILDER_ASSETS");
    const events = createFunctionEvents({ signal });
    const admin = { ...controlPlane, token: controlPlane.tokens.admin };
    const api = callerOf(admin);
    const deployments = await watchDeployments(admin, { signal, hint: () => events.complaint() });
    closing.unshift(async () => deployments.close());

    const repository = await createRepository(root);
    closing.unshift(() => repository.close());
    const webhookSecret = randomBytes(20).toString("hex");
    const installation = await startInstallation({
      kubeconfig: controlPlane.kubeconfig,
      renderHelper,
      configRepository: repository.url,
      webhookSecret,
      log: silentLog,
      onLine: (line) => events.write(line),
    });
    closing.unshift(() => installation.close());

    const names = applicationNames({ prefix: "app", count: applications });
    const kubectlNames = applicationNames({ prefix: "kubectl", count: applications });
    progress(`making ${names.length + kubectlNames.length} namespaces`);
    // Those of a cluster that stays are removed again; the others go with their control plane.
    if (controlPlane.folder === undefined) closing.unshift(() => deleteNamespaces(admin, [...names, ...kubectlNames]));
    await createNamespaces(api, [...names, ...kubectlNames]);

    const kubectlFolder = join(root, "kubectl");
    const home = join(root, "home");
    await Promise.all([mkdir(kubectlFolder), mkdir(home)]);
    let marks = 0;
    return {
      controlPlane,
      installation,
      deployments,
      events,
      kubectl: createKubectl({ binary: controlPlane.kubectl, kubeconfig: controlPlane.kubeconfig, folder: kubectlFolder, home }),
      names,
      kubectlNames,
      newMark: () => `mark-${++marks}`,
      push: (files) => repository.push(files),
      writeForKubectl: (files) => writeFiles(kubectlFolder, files),
      async deliver(push, id = randomUUID()) {
        const { body, headers } = pushDelivery(push, { secret: webhookSecret, id });
        const answer = await fetch(`${installation.url}/webhook`, { method: "POST", body, headers, signal });
        const text = await answer.text();
        if (!answer.ok) throw new DriftlessError("webhook", `the webhook answered ${answer.status}: ${text}`);
      },
      api,
      progress,
      signal,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type ApiAdmin = Parameters<typeof callApi>[0];

function callerOf(admin: ApiAdmin): Bed["api"] {
  return async (path, call) => {
    const { status, text } = await callApi(admin, path, call);
    if (status < 200 || status > 299)
      throw new DriftlessError("cluster", `${call.method} ${path} was answered with ${status}: ${text}`);
  };
}

async function createNamespaces(api: Bed["api"], names: readonly string[]): Promise<void> {
  const create = (name: string) =>
    api("/api/v1/namespaces", { method: "POST", body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
  await mapConcurrently(names, { limit: 16, work: create });
}

async function deleteNamespaces(admin: ApiAdmin, names: readonly string[]): Promise<void> {
  const remove = (name: string) => callApi(admin, `/api/v1/namespaces/${name}`, { method: "DELETE" });
  await mapConcurrently(names, { limit: 16, work: remove });
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

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folders = new Set(Object.keys(files).map((name) => dirname(join(folder, name))));
  for (const each of folders) await mkdir(each, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
