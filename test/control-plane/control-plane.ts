import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Log, silentLog } from "../../lib/telemetry/log.ts";
import { type ApiAccess, callApi } from "./api.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import type { Child } from "./child.ts";
import {
  type ApiServerOptions,
  type Layout,
  layoutOf,
  startApiServerProcess,
  startControllers,
  startEtcd,
} from "./components.ts";
import { type Credentials, writeCredentials, writeKubeconfigs } from "./credentials.ts";
import { onProcessEnd } from "./ending.ts";
import { existingCluster } from "./existing.ts";
import { waitReady, waitWorkable } from "./ready.ts";
import { until } from "./until.ts";

/** A real Kubernetes API, for tests and for local use. */
export interface ControlPlane {
  /** Such as https://127.0.0.1:43210. */
  readonly server: string;
  /** PEM file and its text: a client that trusts this alone can verify the server in full. */
  readonly caFile: string;
  readonly ca: string;
  /** Path of a kubeconfig with the contexts `admin` (current; group system:masters) and `limited` (no rights). */
  readonly kubeconfig: string;
  /**
   * Path of one with the same contexts for an installation of Driftless: in a control plane of our own its `admin` is the user
   * `driftless`, so that the audit log tells it from people.
   */
  readonly installationKubeconfig: string;
  readonly tokens: { readonly admin: string; readonly limited: string };
  /** Path of a kubectl of the same version. */
  readonly kubectl: string;
  /** False when nobody acts on the objects: no rollouts, no garbage collection, no service accounts. */
  readonly controllers: boolean;
  /** Port of this machine to which the API server posts its audit log, whoever may listen there; undefined when not asked for. */
  readonly auditPort?: number;
  /** Folder of the parts' logs; undefined for a cluster that stood before. */
  readonly folder?: string;
  /** Process ids of the parts that run now. */
  pids(): number[];
  /** The API server's own metrics, in Prometheus text. */
  metrics(): Promise<string>;
  /** Takes the API server down at once, so that connections are refused; absent for a cluster that stood before. */
  stopApiServer?(): Promise<void>;
  /** Brings it back on the same port with the same objects; resolves when it is ready. */
  startApiServer?(): Promise<void>;
  /** Ends every part and removes every file; does nothing the second time, or for a cluster that stood before. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Gets a line now and then while something takes long: the first build takes minutes. */
  readonly progress?: (line: string) => void;
  /** Simulated nodes, all Ready at the end of the start. Default 1. */
  readonly nodes?: number;
  /** Is asked whose a bearer token is (TokenReview v1) when the API server itself does not know. */
  readonly authenticationWebhook?: { readonly url: string };
  /** Has the API server post its audit log, writes alone, to a port that is picked free; a cluster that stood before has none. */
  readonly audit?: boolean;
  readonly log?: Log;
  /** Where DRIFTLESS_TEST_KUBECONFIG and KUBEBUILDER_ASSETS are looked up. Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

const attempts = 3;

/**
 * A control plane that is ready for a Deployment: nodes are Ready, the default namespace has its service account.
 * DRIFTLESS_TEST_KUBECONFIG (a kubeconfig with token users in contexts `admin` and `limited`) is taken instead of a new one,
 * KUBEBUILDER_ASSETS (a folder with etcd, kube-apiserver and kubectl) instead of building the programs.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { env = process.env, log = silentLog, progress } = options;
  const kubeconfig = env["DRIFTLESS_TEST_KUBECONFIG"];
  if (kubeconfig) return existingCluster(kubeconfig);
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(path.join(tmpdir(), "driftless-control-plane-"));
    const run = createRun(folder, log);
    try {
      const assets = env["KUBEBUILDER_ASSETS"];
      const binaries = await findBinaries({
        folder: path.join(folder, "bin"),
        ...(assets ? { assets } : {}),
        ...(progress === undefined ? {} : { progress }),
      });
      return await startParts(run, binaries, options);
    } catch (error) {
      await run.stop();
      // The free port was taken by someone else in between.
      if (attempt < attempts && error instanceof Error && error.message.includes("address already in use")) continue;
      throw error;
    }
  }
}

/** What has been started so far, and how it all ends. */
interface Run {
  readonly layout: Layout;
  readonly log: Log;
  /** In the order of their start: etcd is the first. */
  readonly children: Child[];
  /** Throws when a part has ended by itself. */
  assertRunning(): void;
  stop(): Promise<void>;
}

function createRun(folder: string, log: Log): Run {
  const children: Child[] = [];
  let stopping: Promise<void> | undefined;
  const ending = onProcessEnd(() => {
    for (const child of children) void child.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const stop = async () => {
    const [etcd, ...others] = children;
    await Promise.all(others.map((child) => child.stop()));
    // Not before the API server has ended: without etcd it hangs at its end.
    await etcd?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    ending.release();
    log.info("control-plane.stopped", { folder });
  };
  return {
    layout: layoutOf(folder),
    log,
    children,
    assertRunning() {
      for (const child of children) child.assertRunning();
    },
    stop: () => (stopping ??= stop()),
  };
}

async function startParts(run: Run, binaries: Binaries, options: ControlPlaneOptions): Promise<ControlPlane> {
  const started = performance.now();
  const { layout, children } = run;
  const [port, auditPort] = await Promise.all([freePort(), options.audit === true ? freePort() : undefined]);
  const authentication = options.authenticationWebhook?.url;
  const [credentials] = await Promise.all([
    writeCredentials(layout, {
      ...(authentication === undefined ? {} : { authentication }),
      ...(auditPort === undefined ? {} : { audit: `http://127.0.0.1:${auditPort}/audit` }),
    }),
    writeStages(layout, binaries),
  ]);
  const guard = () => run.assertRunning();
  children.push(startEtcd(binaries, layout));
  await until(() => exists(layout.etcdSocket), { what: "etcd to listen", guard });
  const apiServer = { port, webhook: authentication !== undefined, audit: auditPort !== undefined };
  children.push(startApiServerProcess(binaries, layout, apiServer));
  const ca = await until(() => certificates(layout.caFile), { what: "the API server's certificate", guard });
  const admin = { server: `https://127.0.0.1:${port}`, ca, token: credentials.admin };
  await writeKubeconfigs(layout, admin.server, ca, credentials);
  await waitReady(admin, guard);
  children.push(...startControllers(binaries, layout));
  if (binaries.controllers !== undefined) await waitWorkable(admin, options.nodes ?? 1, guard);
  const ms = Math.round(performance.now() - started);
  run.log.info("control-plane.ready", { server: admin.server, folder: layout.folder, ms });
  options.progress?.(`control plane: ready in ${(ms / 1000).toFixed(1)} s`);
  return { ...running(run, binaries, { apiServer, admin, credentials }), ...(auditPort === undefined ? {} : { auditPort }) };
}

interface Running {
  readonly apiServer: ApiServerOptions;
  readonly admin: ApiAccess;
  readonly credentials: Credentials;
}

function running(run: Run, binaries: Binaries, { apiServer, admin, credentials }: Running): ControlPlane {
  const { layout, children } = run;
  return {
    server: admin.server,
    caFile: layout.caFile,
    ca: admin.ca,
    kubeconfig: layout.kubeconfig,
    installationKubeconfig: layout.installationKubeconfig,
    tokens: { admin: credentials.admin, limited: credentials.limited },
    kubectl: binaries.kubectl,
    controllers: binaries.controllers !== undefined,
    folder: layout.folder,
    pids: () => children.map(({ pid }) => pid),
    metrics: async () => (await callApi(admin, "/metrics")).text,
    async stopApiServer() {
      // The controllers go too: left alone, they would come back late, by a backoff that grows to half a minute.
      await Promise.all(children.splice(1).map((child) => child.kill()));
    },
    async startApiServer() {
      if (children.length > 1) return;
      children.push(startApiServerProcess(binaries, layout, apiServer));
      await waitReady(admin, () => run.assertRunning());
      children.push(...startControllers(binaries, layout));
    },
    stop: () => run.stop(),
  };
}

async function writeStages(layout: Layout, binaries: Binaries): Promise<void> {
  if (binaries.controllers === undefined) return;
  const { stdout } = await promisify(execFile)(binaries.controllers.kwok, ["stages"]);
  await writeFile(layout.stages, stdout);
}

/** The API server's certificate and its authority's, once both are written. */
async function certificates(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8");
  return text.split("-----END CERTIFICATE-----").length === 3 ? text : undefined;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
