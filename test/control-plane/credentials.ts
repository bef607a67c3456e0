import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { componentUsers, type Layout } from "./components.ts";
import { auditPolicyText, kubeconfigText, webhookConfigText } from "./kubeconfig.ts";

/** Bearer tokens by user name. */
export interface Credentials {
  readonly admin: string;
  readonly limited: string;
  readonly driftless: string;
  readonly components: Readonly<Record<keyof typeof componentUsers, string>>;
}

/** Where the API server finds those whom it asks or tells. */
export interface Webhooks {
  readonly authentication?: string;
  readonly audit?: string;
}

/** Writes what the API server reads at its start: the users' tokens, the key of service accounts, the webhooks' addresses. */
export async function writeCredentials(layout: Layout, { authentication, audit }: Webhooks): Promise<Credentials> {
  const credentials: Credentials = {
    admin: newToken(),
    limited: newToken(),
    driftless: newToken(),
    components: { manager: newToken(), scheduler: newToken(), kwok: newToken() },
  };
  const { manager, scheduler, kwok } = credentials.components;
  const users = [
    [credentials.admin, "admin", "admin", "system:masters"],
    [credentials.limited, "limited", "limited", "limited"],
    [credentials.driftless, "driftless", "driftless", "system:masters"],
    [manager, componentUsers.manager, componentUsers.manager, ""],
    [scheduler, componentUsers.scheduler, componentUsers.scheduler, ""],
    [kwok, componentUsers.kwok, componentUsers.kwok, "system:masters"],
  ];
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await Promise.all([
    secretFile(layout.tokens, users.map((user) => `${user.join(",")}\n`).join("")),
    secretFile(layout.serviceAccountKey, privateKey.export({ type: "sec1", format: "pem" })),
    ...(authentication === undefined ? [] : [secretFile(layout.webhookConfig, webhookConfigText(authentication))]),
    ...(audit === undefined
      ? []
      : [secretFile(layout.auditConfig, webhookConfigText(audit)), secretFile(layout.auditPolicy, auditPolicyText)]),
  ]);
  return credentials;
}

/** Writes one kubeconfig for tests and users, and one for each part of the control plane. */
export async function writeKubeconfigs(layout: Layout, server: string, ca: string, credentials: Credentials): Promise<void> {
  const { admin, limited, driftless, components } = credentials;
  const people = [
    { name: "admin", token: admin },
    { name: "limited", token: limited },
  ];
  const installation = [{ name: "driftless", token: driftless, context: "admin" }, ...people.slice(1)];
  await Promise.all([
    secretFile(layout.kubeconfig, kubeconfigText(server, ca, people)),
    secretFile(layout.installationKubeconfig, kubeconfigText(server, ca, installation)),
    ...(["manager", "scheduler", "kwok"] as const).map((part) => {
      const user = { name: componentUsers[part], token: components[part] };
      return secretFile(layout.kubeconfigOf(componentUsers[part]), kubeconfigText(server, ca, [user]));
    }),
  ]);
}

function secretFile(file: string, text: string | Buffer): Promise<void> {
  return writeFile(file, text, { mode: 0o600 });
}

function newToken(): string {
  return randomBytes(24).toString("hex");
}
