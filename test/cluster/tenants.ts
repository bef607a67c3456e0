import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { createClusters, type OpenClusters } from "../../lib/cluster/clusters.ts";
import type { Project, ProjectDestination } from "../../lib/model/project.ts";
import { openProject } from "../../lib/projects/find.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { callApi } from "../control-plane/api.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";

/** The cluster `home` is the shared control plane, where Driftless itself may do nothing but impersonate `shop`. */
export interface Tenants {
  readonly clusters: OpenClusters;
  readonly projects: Map<string, Project>;
  readonly shop: Project;
  /** Its user may edit ConfigMaps and Secrets here. */
  readonly ours: string;
  /** A namespace in which nobody of the test may do anything. */
  readonly theirs: string;
}

/** A project that impersonates, and may have everything in these namespaces of every cluster. */
export function aProject(name: string, namespaces: readonly string[], overrides: Partial<Project> = {}): Project {
  const destinations: readonly ProjectDestination[] = namespaces.map((namespace) => ({ cluster: "*", namespace }));
  return { ...openProject, name, destinations, identity: "impersonate", ...overrides };
}

export async function openTenants(t: TestContext, { clock = systemClock }: { readonly clock?: Clock } = {}): Promise<Tenants> {
  const [ours, theirs] = await Promise.all([testNamespace("ours"), testNamespace("theirs")]);
  const shop = aProject(`shop-${randomBytes(4).toString("hex")}`, [ours]);
  await letImpersonate(t, shop.name);
  await grant(t, { project: shop.name, namespace: ours, rules: editing });
  const projects = new Map([[shop.name, shop]]);
  const { kubeconfig } = await sharedControlPlane();
  const clusters = createClusters({
    find: async (name) =>
      name === "home" ? { name: "home", kind: "kubeconfig", labels: {}, context: "limited" } : assert.fail(`no cluster ${name}`),
    project: async (name) => projects.get(name),
    kubeconfigPath: kubeconfig,
    eksClient: () => assert.fail("no EKS here"),
    clock,
    log: silentLog,
  });
  t.after(() => clusters.close());
  return { clusters, projects, shop, ours, theirs };
}

const editing = [{ apiGroups: [""], resources: ["configmaps", "secrets"], verbs: ["*"] }];

/** Gives the user `limited` the one right to come as a project, for as long as the test runs. */
async function letImpersonate(t: TestContext, project: string): Promise<void> {
  const rules = [
    { apiGroups: [""], resources: ["users"], resourceNames: [`driftless:${project}`], verbs: ["impersonate"] },
    { apiGroups: [""], resources: ["groups"], resourceNames: [`driftless:project:${project}`], verbs: ["impersonate"] },
  ];
  const subject = { kind: "User", name: "limited", apiGroup: "rbac.authorization.k8s.io" };
  await createRole(t, { name: `${project}-impersonate`, namespace: "", rules, subject });
}

export interface Granted {
  readonly project: string;
  /** "" grants over all namespaces. */
  readonly namespace: string;
  readonly rules: readonly object[];
}

/** Gives a project's group rights, for as long as the test runs. */
export async function grant(t: TestContext, { project, namespace, rules }: Granted): Promise<void> {
  const subject = { kind: "Group", name: `driftless:project:${project}`, apiGroup: "rbac.authorization.k8s.io" };
  const name = `${project}-${randomBytes(2).toString("hex")}`;
  await createRole(t, { name, namespace, rules, subject });
}

interface NewRole extends Omit<Granted, "project"> {
  readonly name: string;
  readonly subject: object;
}

async function createRole(t: TestContext, { name, namespace, rules, subject }: NewRole): Promise<void> {
  const prefix = namespace === "" ? "Cluster" : "";
  const root = `/apis/rbac.authorization.k8s.io/v1${namespace === "" ? "" : `/namespaces/${namespace}`}`;
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: `${prefix}Role`, name };
  await asAdmin(t, `${root}/${prefix.toLowerCase()}roles`, { apiVersion, kind: `${prefix}Role`, metadata: { name }, rules });
  await asAdmin(t, `${root}/${prefix.toLowerCase()}rolebindings`, {
    apiVersion,
    kind: `${prefix}RoleBinding`,
    metadata: { name },
    roleRef,
    subjects: [subject],
  });
}

interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [key: string]: unknown;
}

/** Creates an object that goes with the test. */
export async function asAdmin(t: TestContext, path: string, body: NewObject): Promise<void> {
  const controlPlane = await sharedControlPlane();
  const access = { ...controlPlane, token: controlPlane.tokens.admin };
  const { status, text } = await callApi(access, path, { method: "POST", body });
  assert.equal(status, 201, text);
  t.after(() => callApi(access, `${path}/${body.metadata.name}`, { method: "DELETE" }));
}
