import { createHmac, randomUUID } from "node:crypto";
import type { PushedRef } from "./git-server.ts";

export interface PushDelivery {
  readonly id: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The webhook delivery that GitHub would send for a push, signed with the given secret. */
export function pushDelivery(
  push: PushedRef,
  {
    secret,
    id = randomUUID(),
    repositoryId = 1,
  }: { readonly secret: string; readonly id?: string; readonly repositoryId?: number },
): PushDelivery {
  const name = push.repository.replace(/\.git$/, "");
  const fullName = name.includes("/") ? name : `local/${name}`;
  const [owner = "local", short = name] = fullName.split("/");
  const body = JSON.stringify({
    ref: push.ref,
    before: push.before,
    after: push.after,
    created: /^0+$/.test(push.before),
    deleted: push.deleted,
    forced: push.forced,
    repository: {
      id: repositoryId,
      name: short,
      full_name: fullName,
      html_url: push.url.replace(/\.git$/, ""),
      clone_url: push.url,
      owner: { login: owner },
    },
    pusher: { name: "local" },
    commits: [],
  });
  return { id, body, headers: signedHeaders({ body, secret, id }) };
}

/** Headers as GitHub sends them. */
export function signedHeaders({
  body,
  secret,
  id,
  event = "push",
}: {
  readonly body: string | Uint8Array;
  readonly secret: string;
  readonly id: string;
  readonly event?: string;
}): Readonly<Record<string, string>> {
  return {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/local",
    "x-github-event": event,
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}
