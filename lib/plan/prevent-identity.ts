/** How the API server's user is known to be Driftless. */
export type WriterIdentity =
  | { readonly by: "username"; readonly username: string }
  /** Beginning of the user name, up to and with the slash before the name of the session, which is another for each sync. */
  | { readonly by: "role"; readonly prefix: string }
  /** EKS says the role of a session in the user's `extra`, whatever user name its access entry gives. */
  | { readonly by: "canonicalArn"; readonly arn: string };

export interface WhoRequest {
  /** Who the one who asks is to the API server. */
  readonly self: { readonly username: string; readonly extra: Readonly<Record<string, readonly string[]>> };
  /** ARNs of the IAM roles that write to clusters; none where the one who asks does so itself. */
  readonly roles: readonly string[];
}

/**
 * Everyone as whom Driftless comes to a cluster; or, as text, why that cannot be told. A policy that leaves one of them out
 * would stop every sync.
 */
export function writerIdentities({ self, roles }: WhoRequest): readonly WriterIdentity[] | string {
  const { username, extra } = self;
  if (username === "" || username === "system:anonymous") return "the API server does not know Driftless";
  const own = extra["canonicalArn"]?.[0];
  if (own !== undefined) {
    const arns = roles.length === 0 ? [own] : distinct(roles.map(canonicalArn));
    return arns.map((arn) => ({ by: "canonicalArn", arn }));
  }
  const prefix = sessionPrefix(username);
  if (prefix !== undefined) {
    const prefixes = roles.length === 0 ? [prefix] : distinct(roles.map(sessionArn));
    return prefixes.map((one) => ({ by: "role", prefix: one }));
  }
  if (roles.length === 0) return [{ by: "username", username }];
  return `the user ${username} says nothing of its IAM role, so the role that syncs cannot be told from strangers`;
}

/** `arn:aws:sts::1:assumed-role/NAME/SESSION` up to the last slash. */
function sessionPrefix(username: string): string | undefined {
  return /^arn:[a-z-]+:sts::\d{12}:assumed-role\/[^/]+\//.exec(username)?.[0];
}

const roleArn = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

/** A role without its path, which no session tells. */
function canonicalArn(role: string): string {
  return role.replace(roleArn, "arn:$1:iam::$2:role/$3");
}

function sessionArn(role: string): string {
  return role.replace(roleArn, "arn:$1:sts::$2:assumed-role/$3/");
}

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
