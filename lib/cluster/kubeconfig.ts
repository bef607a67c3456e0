import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import { Secret } from "../telemetry/secret.ts";
import { abortable } from "./abortable.ts";
import type { Connection } from "./transport.ts";

export interface KubeconfigRequest extends CallOptions {
  readonly path: string;
  /** "" takes the file's current context. */
  readonly context: string;
  readonly clock: Clock;
}

/** Credential plugins keep their own caches; asking them again this often picks up rotated files and tokens. */
const askAgainAfterMs = 30_000;

/**
 * Reads one context of a kubeconfig file, and its identity: token, basic, client certificate, exec plugin, OIDC.
 * Throws `cluster` for a file that is not there or asks for what Driftless does not do.
 */
export async function openKubeconfig(request: KubeconfigRequest): Promise<Connection> {
  const { clock } = request;
  let config = await load(request);
  const server = checkedServer(config, request);
  const first = await identify(config, request);
  let current = { authorization: first.authorization, at: clock.now().getTime() };

  async function authorize({ fresh, signal }: CallOptions & { readonly fresh: boolean }): Promise<Secret> {
    const now = clock.now().getTime();
    if (fresh || now - current.at >= askAgainAfterMs) {
      // A plugin's cache lives in the loaded file: a new one is the only way around it.
      if (fresh) config = await load(request);
      const asked = await identify(config, { path: request.path, ...(signal ? { signal } : {}) });
      current = { authorization: asked.authorization, at: now };
    }
    return current.authorization ?? new Secret("");
  }
  const { authorization, ...rest } = first;
  return { server, ...rest, ...(authorization === undefined ? {} : { authorize }) };
}

/** The package loads slowly and is needed for kubeconfig files only. */
async function load({ path, context }: KubeconfigRequest): Promise<KubeConfig> {
  const { KubeConfig } = await loadPackage(path);
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (cause) {
    throw new DriftlessError("cluster", `Cannot read the kubeconfig ${path}: ${messageOf(cause)}`, { cause });
  }
  if (context !== "") config.setCurrentContext(context);
  return config;
}

async function loadPackage(path: string): Promise<typeof import("@kubernetes/client-node")> {
  try {
    return await import("@kubernetes/client-node");
  } catch (cause) {
    const reason = "@kubernetes/client-node is not installed here (the functions' zips leave it out): use clusters of kind eks";
    throw new DriftlessError("cluster", `Cannot read the kubeconfig ${path}: ${reason}`, { cause });
  }
}

/** The address of the API server; refuses what would weaken TLS in silence. */
function checkedServer(config: KubeConfig, { path }: KubeconfigRequest): string {
  const name = config.getCurrentContext();
  if (config.getContextObject(name) === null) {
    const known = config.getContexts().map((context) => context.name);
    throw new DriftlessError(
      "cluster",
      `The kubeconfig ${path} has no context ${JSON.stringify(name)}; it has: ${known.join(", ") || "none"}`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || config.getCurrentUser() === null) {
    throw new DriftlessError(
      "cluster",
      `Context ${name} of the kubeconfig ${path} names a cluster or user that the file does not have`,
    );
  }
  if (cluster.skipTLSVerify) {
    const advice = "put the authority in certificate-authority-data instead";
    throw new DriftlessError("cluster", `Cluster ${cluster.name} of the kubeconfig ${path} skips TLS verification; ${advice}`);
  }
  if (!cluster.server.startsWith("https://")) {
    throw new DriftlessError("cluster", `The server of cluster ${cluster.name} in the kubeconfig ${path} must be an https URL`);
  }
  if (cluster.proxyUrl !== undefined) {
    throw new DriftlessError(
      "cluster",
      `Cluster ${cluster.name} of the kubeconfig ${path} asks for a proxy, which is not supported`,
    );
  }
  return cluster.server;
}

type Identity = Omit<Connection, "server" | "authorize"> & { readonly authorization: Secret | undefined };

/** What the user's entry gives: certificate and headers, from the file or from its plugin. */
async function identify(config: KubeConfig, { path, signal }: CallOptions & { readonly path: string }): Promise<Identity> {
  const asked: RequestOptions = {};
  try {
    await abortable(config.applyToHTTPSOptions(asked), signal);
  } catch (cause) {
    if (cause instanceof DriftlessError) throw cause;
    const user = config.getCurrentUser()?.name ?? "";
    throw new DriftlessError(
      "cluster",
      `The credentials of user ${user} in the kubeconfig ${path} could not be had: ${messageOf(cause)}`,
      {
        cause,
        retryable: true,
      },
    );
  }
  const { Authorization: bearer, ...headers } = asked.headers as Record<string, string>;
  const authorization = bearer ?? (asked.auth ? `Basic ${Buffer.from(asked.auth).toString("base64")}` : undefined);
  const { ca, cert, key, servername } = asked as Pick<Identity, "ca" | "cert" | "key" | "servername">;
  return {
    authorization: authorization === undefined ? undefined : new Secret(authorization),
    headers,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
}
