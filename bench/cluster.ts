import { mapConcurrently } from "../lib/cluster/concurrency.ts";
import { DriftlessError } from "../lib/errors.ts";
import { callApi } from "../test/control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../test/control-plane/control-plane.ts";
import { type DeploymentWatch, watchDeployments } from "./deployments.ts";

/** A real Kubernetes API with its controllers, and a watch on its Deployments. */
export interface BenchCluster {
  readonly controlPlane: ControlPlane;
  readonly deployments: DeploymentWatch;
  /** One call of the Kubernetes API as cluster-admin; throws `cluster` for any answer but success. */
  api(path: string, call: { readonly method: string; readonly body?: unknown; readonly contentType?: string }): Promise<void>;
  createNamespaces(names: readonly string[]): Promise<void>;
  /** Namespaces that somebody else makes here: like one's own they are removed from a cluster that stays. */
  expectNamespaces(names: readonly string[]): void;
  close(): Promise<void>;
}

export interface BenchClusterOptions {
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Has its audit log posted to the first fleet that is started on it. */
  readonly audit?: boolean;
}

export async function startCluster({ progress, signal, audit = false }: BenchClusterOptions): Promise<BenchCluster> {
  const controlPlane = await startControlPlane({ progress, audit });
  try {
    signal.throwIfAborted();
    if (!controlPlane.controllers)
      throw new DriftlessError("config", "the benchmark needs a control plane with controllers: unset KUBEBUILDER_ASSETS");
    const admin = { ...controlPlane, token: controlPlane.tokens.admin };
    const deployments = await watchDeployments(admin, { signal });
    const namespaces = new Set<string>();
    const api: BenchCluster["api"] = async (path, call) => {
      const { status, text } = await callApi(admin, path, call);
      if (status < 200 || status > 299)
        throw new DriftlessError("cluster", `${call.method} ${path} was answered with ${status}: ${text}`);
    };
    const create = (name: string) =>
      api("/api/v1/namespaces", { method: "POST", body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } });
    const remove = (name: string) => callApi(admin, `/api/v1/namespaces/${name}`, { method: "DELETE" });
    return {
      controlPlane,
      deployments,
      api,
      async createNamespaces(names) {
        for (const name of names) namespaces.add(name);
        await mapConcurrently(names, { limit: 16, work: create });
      },
      expectNamespaces(names) {
        for (const name of names) namespaces.add(name);
      },
      async close() {
        deployments.close();
        // Those of a control plane that was started here go with it.
        if (controlPlane.folder === undefined) await mapConcurrently([...namespaces], { limit: 16, work: remove });
        await controlPlane.stop();
      },
    };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}
