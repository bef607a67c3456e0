import { stringify } from "yaml";
import { componentUsers } from "./components.ts";

export interface KubeconfigUser {
  readonly name: string;
  readonly token: string;
  /** Default: the user's name. */
  readonly context?: string;
}

/** Text of a kubeconfig with one context for each user; the first is the current one. */
export function kubeconfigText(server: string, ca: string, users: readonly KubeconfigUser[]): string {
  const cluster = "driftless";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: users.map(({ name, token }) => ({ name, user: { token } })),
    contexts: users.map(({ name, context = name }) => ({ name: context, context: { cluster, user: name } })),
    "current-context": users[0]?.context ?? users[0]?.name ?? "",
  });
}

/** Writes by people and tools, in short: the cluster's own parts write all the time, and nobody asks about reads. */
export const auditPolicyText = stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived", "ResponseStarted", "Panic"],
  rules: [
    { level: "None", users: [...Object.values(componentUsers), "system:apiserver"] },
    { level: "None", userGroups: ["system:nodes", "system:serviceaccounts:kube-system"] },
    { level: "Metadata", verbs: ["create", "update", "patch", "delete", "deletecollection"] },
    { level: "None" },
  ],
});

/** How the API server asks someone else whose a bearer token is (TokenReview), or tells him what happened (audit). */
export function webhookConfigText(url: string): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "webhook", cluster: { server: url } }],
    users: [{ name: "apiserver", user: {} }],
    contexts: [{ name: "webhook", context: { cluster: "webhook", user: "apiserver" } }],
    "current-context": "webhook",
  });
}
