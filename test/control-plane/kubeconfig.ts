import { stringify } from "yaml";

export interface KubeconfigUser {
  readonly name: string;
  readonly token: string;
}

/** Text of a kubeconfig with one context for each user, named after it; the first is the current one. */
export function kubeconfigText(server: string, ca: string, users: readonly KubeconfigUser[]): string {
  const cluster = "driftless";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: users.map(({ name, token }) => ({ name, user: { token } })),
    contexts: users.map(({ name }) => ({ name, context: { cluster, user: name } })),
    "current-context": users[0]?.name ?? "",
  });
}

/** How the API server asks someone else whose a bearer token is (TokenReview). */
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
