import type { EKSClient } from "@aws-sdk/client-eks";
import type { SignedPost } from "../aws/signed-post.ts";
import { DriftlessError } from "../errors.ts";
import type { Cluster } from "../model/application.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RoleProvider } from "./eks-roles.ts";
import { type AskedRole, type Asking, roleFor } from "./identities.ts";
import { kept } from "./kept.ts";
import type { Authorize, Connection } from "./transport.ts";

export interface ConnectDeps {
  /** File that clusters of kind `kubeconfig` are looked up in. */
  readonly kubeconfigPath?: string;
  /** A client for one region; without credentials, with those of Driftless itself. */
  readonly eksClient: (region: string, credentials?: RoleProvider) => EKSClient;
  /** Posts to STS of one region, as Driftless itself; without it no role is assumed. */
  readonly sts?: (region: string) => SignedPost;
  readonly clock: Clock;
}

export interface Connected {
  readonly connection: Connection;
  /** Tokens of a role; undefined for clusters that know no roles of IAM. */
  readonly authorizeAs: ((role: AskedRole) => Authorize) | undefined;
}

/**
 * Finds out where a cluster is and how to trust it: by Driftless' own identity or the cluster's role, whoever asked first. Opening is
 * shared by all who ask, so it is not bound to the signal of the first.
 */
export async function connect(cluster: Cluster, session: Asking["session"], deps: ConnectDeps): Promise<Connected> {
  switch (cluster.kind) {
    case "kubeconfig": {
      if (deps.kubeconfigPath === undefined) {
        throw new DriftlessError("cluster", `Cluster ${cluster.name} is of kind kubeconfig, and no kubeconfig file is set`);
      }
      const { openKubeconfig } = await import("./kubeconfig.ts");
      const connection = await openKubeconfig({ path: deps.kubeconfigPath, context: cluster.context, clock: deps.clock });
      return { connection, authorizeAs: undefined };
    }
    case "eks":
      return connectEks(cluster, session, deps);
    default:
      return cluster satisfies never;
  }
}

async function connectEks(
  cluster: Extract<Cluster, { readonly kind: "eks" }>,
  session: Asking["session"],
  { eksClient, sts, clock }: ConnectDeps,
): Promise<Connected> {
  const { clusterName, region } = cluster;
  const { openEks, createTokens } = await import("./eks.ts");
  const { createRoleProvider } = await import("./eks-roles.ts");
  const post = sts?.(region);
  const providers = new Map<string, RoleProvider>();
  const credentialsOf = (role: AskedRole): RoleProvider => {
    if (post === undefined) throw new DriftlessError("cluster", `The role ${role.arn} cannot be assumed here: there is no STS`);
    return kept(providers, JSON.stringify(role), () => createRoleProvider(role, { sts: post, region, clusterName, clock }));
  };
  const role = roleFor(cluster, { project: undefined, session });
  const client = role === undefined ? eksClient(region) : eksClient(region, credentialsOf(role));
  const connection = await openEks(clusterName, { client, clock });
  return {
    connection,
    authorizeAs: (asked) => createTokens({ clusterName, region, credentials: credentialsOf(asked), clock }),
  };
}
