import { rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Cluster, KubeConfig } from "@kubernetes/client-node";
import { DriftlessError } from "../../lib/errors.ts";
import { callApi } from "./api.ts";
import type { ControlPlane } from "./control-plane.ts";
import { onProcessEnd } from "./ending.ts";

/** A cluster that stood before and stays; its kubeconfig has bearer tokens for the contexts `admin` and `limited`. */
export async function existingCluster(kubeconfig: string): Promise<ControlPlane> {
  const config = new KubeConfig();
  try {
    config.loadFromFile(kubeconfig);
  } catch (cause) {
    throw new DriftlessError("config", `cannot read the kubeconfig ${kubeconfig} that DRIFTLESS_TEST_KUBECONFIG names`, {
      cause,
    });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new DriftlessError("config", `${kubeconfig} has no current context; set one: kubectl config use-context admin`);
  const tokens = { admin: tokenOf(config, "admin", kubeconfig), limited: tokenOf(config, "limited", kubeconfig) };
  const ca = await certificateAuthority(cluster, kubeconfig);
  const folder = await mkdtemp(path.join(tmpdir(), "driftless-existing-cluster-"));
  const caFile = path.join(folder, "ca.crt");
  await writeFile(caFile, ca);
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const ending = onProcessEnd(removeFolder);
  return {
    server: cluster.server,
    caFile,
    ca,
    kubeconfig,
    installationKubeconfig: kubeconfig,
    tokens,
    kubectl: "kubectl",
    controllers: true,
    pids: () => [],
    metrics: async () => (await callApi({ server: cluster.server, ca, token: tokens.admin }, "/metrics")).text,
    stop() {
      removeFolder();
      ending.release();
      return Promise.resolve();
    },
  };
}

function tokenOf(config: KubeConfig, context: string, kubeconfig: string): string {
  const user = config.getUser(config.getContextObject(context)?.user ?? "");
  if (user?.token) return user.token;
  throw new DriftlessError(
    "config",
    `${kubeconfig} has no context ${context} whose user has a token; tests need the contexts admin (of group system:masters) and limited (without any rights)`,
  );
}

async function certificateAuthority(cluster: Cluster, kubeconfig: string): Promise<string> {
  if (cluster.caData) return Buffer.from(cluster.caData, "base64").toString("utf8");
  if (cluster.caFile) return readFile(path.resolve(path.dirname(kubeconfig), cluster.caFile), "utf8");
  throw new DriftlessError(
    "config",
    `${kubeconfig} names no certificate authority for its cluster: set certificate-authority or -data`,
  );
}
