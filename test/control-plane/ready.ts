import { type ApiAccess, callApi } from "./api.ts";
import { until } from "./until.ts";

/** Waits until the API server answers that it is ready; `guard` ends the wait by throwing. */
export async function waitReady(access: ApiAccess, guard: () => void): Promise<void> {
  await until(async () => (await callApi(access, "/readyz")).status === 200, { what: "the API server to be ready", guard });
}

/** Makes simulated nodes and waits until pods can run on them, and until pods may be made in the default namespace. */
export async function waitWorkable(access: ApiAccess, nodes: number, guard: () => void): Promise<void> {
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  for (const name of names) await until(() => createNode(access, name), { what: `node ${name} to be made`, guard });
  await Promise.all([
    ...names.map((name) => until(() => canRunPods(access, name), { what: `node ${name} to be Ready`, guard })),
    until(async () => (await callApi(access, "/api/v1/namespaces/default/serviceaccounts/default")).status === 200, {
      what: "the service account of the default namespace",
      guard,
    }),
  ]);
}

async function createNode(access: ApiAccess, name: string): Promise<boolean> {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  const body = { apiVersion: "v1", kind: "Node", metadata: { name, labels } };
  return (await callApi(access, "/api/v1/nodes", { method: "POST", body })).status === 201;
}

interface Node {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function canRunPods(access: ApiAccess, name: string): Promise<boolean> {
  const node = JSON.parse((await callApi(access, `/api/v1/nodes/${name}`)).text) as Node;
  const ready = node.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return ready && (node.spec.taints ?? []).length === 0;
}
