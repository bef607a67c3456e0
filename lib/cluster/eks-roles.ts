import type { SignedPost } from "../aws/signed-post.ts";
import type { Clock } from "../telemetry/clock.ts";
import { assumeRole, type RoleCredentials } from "./assume-role.ts";
import type { AskedRole } from "./identities.ts";

/** Credentials are replaced so long before they end. */
const renewBeforeMs = 5 * 60 * 1000;

export interface RolePlace {
  /** Posts to STS of the cluster's region, as Driftless itself. */
  readonly sts: SignedPost;
  readonly region: string;
  /** Name of the cluster in EKS. */
  readonly clusterName: string;
  readonly clock: Clock;
}

/** A server that refuses every token would else have STS asked for each. */
const youngMs = 60 * 1000;

/** Gives the credentials of one role and session, from the last answer of STS until 5 minutes before they end. */
export type RoleProvider = (options?: { readonly forceRefresh?: boolean }) => Promise<RoleCredentials>;

/** Does not ask before it is asked. */
export function createRoleProvider(role: AskedRole, place: RolePlace): RoleProvider {
  let current: RoleCredentials | undefined;
  let askedAt = 0;
  let asking: Promise<RoleCredentials> | undefined;
  const now = () => place.clock.now().getTime();
  const isGood = ({ expiration }: RoleCredentials) => expiration.getTime() - renewBeforeMs > now();

  function ask(): Promise<RoleCredentials> {
    const policy = sessionPolicy(role.arn, place);
    askedAt = now();
    return assumeRole({ ...role, policy }, place)
      .then((credentials) => (current = credentials))
      .finally(() => {
        asking = undefined;
      });
  }

  return async ({ forceRefresh = false } = {}) => {
    const renews = forceRefresh && now() - askedAt >= youngMs;
    if (current !== undefined && !renews && isGood(current)) return current;
    // Shared by all who ask meanwhile, so it is not bound to the signal of the first.
    return (asking ??= ask());
  };
}

/**
 * Whatever else the role may do, its session can only ask where this cluster is: who it is to the cluster, it says by its token,
 * for which AWS asks no right.
 */
function sessionPolicy(role: string, { region, clusterName }: RolePlace): string {
  const [, partition = "aws", , , account = ""] = role.split(":");
  const resource = `arn:${partition}:eks:${region}:${account}:cluster/${clusterName}`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "eks:DescribeCluster", Resource: resource }],
  });
}
