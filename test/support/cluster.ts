import { randomBytes } from "node:crypto";
import { DriftlessError } from "../../lib/errors.ts";
import { applicationLabel } from "../../lib/model/resource.ts";
import { callApi } from "../control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { until } from "../control-plane/until.ts";

let shared: Promise<ControlPlane> | undefined;
const namespaces: string[] = [];

/** The one control plane of this test run: started by the first who asks, stopped when nothing else is left to do. */
export function sharedControlPlane(): Promise<ControlPlane> {
  shared ??= startShared();
  return shared;
}

async function startShared(): Promise<ControlPlane> {
  const controlPlane = await startControlPlane({ progress: (line) => process.stderr.write(`${line}\n`) });
  process.once("beforeExit", () => void end(controlPlane));
  return controlPlane;
}

async function end(controlPlane: ControlPlane): Promise<void> {
  // In a control plane of our own they end with it.
  if (controlPlane.folder === undefined) await Promise.all(namespaces.map((name) => deleteNamespace(controlPlane, name)));
  await controlPlane.stop();
}

/**
 * A new namespace in the shared control plane, in which pods may be made at once. It ends with the test run:
 * root hooks of test files that share a process run for all of them, so that there is no sooner moment.
 */
export async function testNamespace(prefix: string): Promise<string> {
  const controlPlane = await sharedControlPlane();
  const access = { ...controlPlane, token: controlPlane.tokens.admin };
  const name = `${prefix}-${randomBytes(4).toString("hex")}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  const { status, text } = await callApi(access, "/api/v1/namespaces", { method: "POST", body });
  if (status !== 201) throw new DriftlessError("cluster", `cannot create namespace ${name}: ${text}`);
  namespaces.push(name);
  if (controlPlane.controllers) {
    const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    await until(async () => (await callApi(access, account)).status === 200, {
      what: `the service account of namespace ${name}`,
    });
  }
  return name;
}

/**
 * Deletes the ConfigMaps of applications that earlier tests left in their namespaces: who counts requests must not get a second
 * page of them. For the `before` of a suite, ahead of its own namespace.
 */
export async function clearLeftovers(): Promise<void> {
  const controlPlane = await sharedControlPlane();
  const access = { ...controlPlane, token: controlPlane.tokens.admin };
  const query = `labelSelector=${encodeURIComponent(applicationLabel)}`;
  for (const name of namespaces) {
    await callApi(access, `/api/v1/namespaces/${name}/configmaps?${query}`, { method: "DELETE" });
  }
}

async function deleteNamespace(controlPlane: ControlPlane, name: string): Promise<void> {
  const access = { ...controlPlane, token: controlPlane.tokens.admin };
  await callApi(access, `/api/v1/namespaces/${name}`, { method: "DELETE" });
}
