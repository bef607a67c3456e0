import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, symlink } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { type ApiAccess, type ApiCall, callApi } from "./api.ts";
import { startControlPlane } from "./control-plane.ts";
import { until } from "./until.ts";

const ownOnly = process.env["DRIFTLESS_TEST_KUBECONFIG"]
  ? { skip: "DRIFTLESS_TEST_KUBECONFIG names a cluster that stays as it is" }
  : {};

async function admin(): Promise<ApiAccess> {
  const controlPlane = await sharedControlPlane();
  return { server: controlPlane.server, ca: controlPlane.ca, token: controlPlane.tokens.admin };
}

/** The object in the answer, which has to be a success. */
async function call<T>(access: ApiAccess, target: string, options?: ApiCall): Promise<T> {
  const { status, text } = await callApi(access, target, options);
  assert.ok(status < 300, `${target}: ${status} ${text}`);
  return JSON.parse(text) as T;
}

const deploymentsOf = (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`;

async function createDeployment(access: ApiAccess, namespace: string, image: string): Promise<void> {
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image }] } };
  const spec = { replicas: 3, selector: { matchLabels: labels }, template };
  const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec };
  await call(access, deploymentsOf(namespace), { method: "POST", body });
}

interface Deployment {
  readonly status: { readonly availableReplicas?: number };
}

async function waitAvailable(access: ApiAccess, namespace: string, replicas: number): Promise<void> {
  const available = async () => (await call<Deployment>(access, `${deploymentsOf(namespace)}/web`)).status.availableReplicas;
  await until(async () => (await available()) === replicas, { what: `${replicas} available replicas in ${namespace}` });
}

interface Pods {
  readonly items: readonly {
    readonly spec: { readonly nodeName?: string };
    readonly status: {
      readonly phase: string;
      readonly containerStatuses?: readonly {
        readonly ready: boolean;
        readonly state: { readonly waiting?: { readonly reason: string } };
      }[];
    };
  }[];
}

test("a Deployment of 3 replicas rolls out", async () => {
  const access = await admin();
  const namespace = await testNamespace("rollout");
  await createDeployment(access, namespace, "nginx:1.27");
  await waitAvailable(access, namespace, 3);
  const pods = await call<Pods>(access, `/api/v1/namespaces/${namespace}/pods`);
  assert.deepEqual(
    pods.items.map(({ spec, status }) => [spec.nodeName, status.phase]),
    [
      ["node-1", "Running"],
      ["node-1", "Running"],
      ["node-1", "Running"],
    ],
  );
});

test("an image whose tag contains `broken` stays in ImagePullBackOff until it is replaced", async () => {
  const access = await admin();
  const namespace = await testNamespace("broken");
  await createDeployment(access, namespace, "registry.example:5000/web:1.0-broken");
  const reasons = async () =>
    (await call<Pods>(access, `/api/v1/namespaces/${namespace}/pods`)).items.map(({ status }) => [
      status.phase,
      status.containerStatuses?.[0]?.ready,
      status.containerStatuses?.[0]?.state.waiting?.reason,
    ]);
  const broken = ["Pending", false, "ImagePullBackOff"];
  await until(async () => (await reasons()).filter(([, , reason]) => reason === "ImagePullBackOff").length === 3, {
    what: "3 broken pods",
  });
  assert.deepEqual(await reasons(), [broken, broken, broken]);
  assert.equal((await call<Deployment>(access, `${deploymentsOf(namespace)}/web`)).status.availableReplicas, undefined);

  const body = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example:5000/web:1.1" }];
  await call(access, `${deploymentsOf(namespace)}/web`, { method: "PATCH", body, contentType: "application/json-patch+json" });
  await waitAvailable(access, namespace, 3);
});

test("a Job completes", async () => {
  const access = await admin();
  const jobs = `/apis/batch/v1/namespaces/${await testNamespace("job")}/jobs`;
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "once", image: "busybox:1" }] } };
  const body = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "once" }, spec: { template } };
  await call(access, jobs, { method: "POST", body });
  const succeeded = async () => (await call<{ status: { succeeded?: number } }>(access, `${jobs}/once`)).status.succeeded;
  assert.equal(await until(succeeded, { what: "the job to succeed" }), 1);
});

test("a foreground deletion takes the pods along, and a deleted namespace ends", async () => {
  const access = await admin();
  const namespace = await testNamespace("deletion");
  await createDeployment(access, namespace, "nginx:1.27");
  await waitAvailable(access, namespace, 3);
  const gone = async (target: string) => (await callApi(access, target)).status === 404;
  await call(access, `${deploymentsOf(namespace)}/web?propagationPolicy=Foreground`, { method: "DELETE" });
  await until(() => gone(`${deploymentsOf(namespace)}/web`), { what: "the deployment to go" });
  assert.deepEqual((await call<Pods>(access, `/api/v1/namespaces/${namespace}/pods`)).items, []);
  await call(access, `/api/v1/namespaces/${namespace}`, { method: "DELETE" });
  await until(() => gone(`/api/v1/namespaces/${namespace}`), { what: "the namespace to go" });
});

test("the user `limited` is known and may do nothing", async () => {
  const { server, ca, tokens } = await sharedControlPlane();
  const { status, text } = await callApi({ server, ca, token: tokens.limited }, "/api/v1/namespaces/default/configmaps");
  assert.equal(status, 403);
  assert.match(text, /User \\"limited\\" cannot list resource \\"configmaps\\"/);
  assert.equal((await callApi({ server, ca, token: "unknown" }, "/api")).status, 401);
});

test("the kubeconfig works with full verification, for kubectl too", async () => {
  const { kubeconfig, kubectl } = await sharedControlPlane();
  assert.doesNotMatch(readFileSync(kubeconfig, "utf8"), /insecure/);
  const run = (context: string, ...args: string[]) =>
    promisify(execFile)(kubectl, ["--kubeconfig", kubeconfig, "--context", context, ...args]);
  assert.match(
    (await run("admin", "auth", "whoami")).stdout,
    /Username +admin\nUID +admin\nGroups +\[system:masters system:authenticated\]/,
  );
  assert.match(
    (await run("limited", "auth", "whoami")).stdout,
    /Username +limited\nUID +limited\nGroups +\[limited system:authenticated\]/,
  );
});

test("the API server counts its requests in its metrics", async () => {
  const controlPlane = await sharedControlPlane();
  assert.match(await controlPlane.metrics(), /^apiserver_request_total\{.*resource="nodes".*verb="POST".*\} \d+$/m);
});

test("an API server that was down is back on its address with its objects, and controllers go on", ownOnly, async () => {
  const access = await admin();
  const controlPlane = await sharedControlPlane();
  const namespace = await testNamespace("restart");
  const [etcd, ...others] = controlPlane.pids();
  await controlPlane.stopApiServer?.();
  await assert.rejects(callApi(access, "/readyz"), { code: "ECONNREFUSED" });
  assert.deepEqual(controlPlane.pids(), [etcd]);
  await controlPlane.startApiServer?.();
  assert.equal(controlPlane.pids().length, others.length + 1);
  await createDeployment(access, namespace, "nginx:1.27");
  await waitAvailable(access, namespace, 3);
});

interface TokenReview {
  readonly spec: { readonly token: string };
}

async function review(request: IncomingMessage): Promise<string> {
  const { spec } = JSON.parse(Buffer.concat(await request.toArray()).toString("utf8")) as TokenReview;
  const user = { username: "from-webhook", groups: ["system:masters"] };
  const status = spec.token === "presigned" ? { authenticated: true, user } : { authenticated: false };
  return JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status });
}

/** A webhook that knows one token. */
async function tokenReviewer(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void review(request).then((text) => response.setHeader("content-type", "application/json").end(text));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/review`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test(
  "envtest's programs are accepted, and a webhook that knows more tokens; a stop leaves no process and no folder",
  ownOnly,
  async (t) => {
    const { folder } = await sharedControlPlane();
    const assets = path.join(folder ?? "", "assets");
    await mkdir(assets);
    for (const name of ["etcd", "kube-apiserver", "kubectl"])
      await symlink(path.join(folder ?? "", "bin", name), path.join(assets, name));
    const reviewer = await tokenReviewer();
    t.after(() => reviewer.close());
    const controlPlane = await startControlPlane({
      env: { ...process.env, KUBEBUILDER_ASSETS: assets },
      authenticationWebhook: { url: reviewer.url },
    });
    t.after(() => controlPlane.stop());
    assert.equal(controlPlane.controllers, false);

    const access = { server: controlPlane.server, ca: controlPlane.ca };
    const spec = { containers: [{ name: "web", image: "nginx:1.27" }] };
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec };
    await call({ ...access, token: "presigned" }, "/api/v1/namespaces/default/pods", { method: "POST", body });
    assert.equal((await callApi({ ...access, token: "forged" }, "/api/v1/nodes")).status, 401);

    const pids = controlPlane.pids();
    assert.deepEqual(pids.map(isAlive), [true, true]);
    await controlPlane.stop();
    assert.deepEqual(pids.map(isAlive), [false, false]);
    assert.equal(existsSync(controlPlane.folder ?? ""), false);
  },
);

test("a parent that is killed leaves no process", ownOnly, async () => {
  const module = new URL("./control-plane.ts", import.meta.url).href;
  const script = `import { startControlPlane } from ${JSON.stringify(module)};
    const { pids, folder } = await startControlPlane({ nodes: 2 });
    console.log(JSON.stringify({ pids: pids(), folder }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { pids, folder } = JSON.parse(line.toString("utf8")) as { pids: number[]; folder: string };
  assert.equal(pids.length, 5);
  child.kill("SIGKILL");
  await once(child, "close");
  await until(() => !pids.some(isAlive), { what: "the parts to end" });
  assert.match(folder, /driftless-control-plane-/);
  await rm(folder, { recursive: true });
});

test("a part that cannot start is named with its last lines, and nothing is left", ownOnly, async () => {
  const env = { ...process.env, KUBEBUILDER_ASSETS: "/nowhere" };
  await assert.rejects(startControlPlane({ env }), { message: /^etcd spawn \/nowhere\/etcd ENOENT/ });
});

test("a kubeconfig is accepted instead, and its cluster stays as it is", async () => {
  const { kubeconfig, server, ca, tokens } = await sharedControlPlane();
  const existing = await startControlPlane({ env: { ...process.env, DRIFTLESS_TEST_KUBECONFIG: kubeconfig } });
  assert.deepEqual([existing.server, existing.ca, existing.tokens], [server, ca, tokens]);
  assert.equal("stopApiServer" in existing, false);
  assert.match(await existing.metrics(), /apiserver_request_total/);
  assert.equal(existsSync(existing.caFile), true);
  await existing.stop();
  assert.equal(existsSync(existing.caFile), false);
  assert.equal((await callApi({ server, ca }, "/readyz")).status, 200);
});
