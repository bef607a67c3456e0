import { Agent, request } from "node:https";
import { mapConcurrently } from "../lib/cluster/concurrency.ts";
import { DriftlessError } from "../lib/errors.ts";
import type { ApiAccess } from "../test/control-plane/api.ts";

export interface RawObject {
  /** Of the object, from `/api`. */
  readonly path: string;
  readonly body: string;
}

export interface RawApply {
  /** Stage after stage, objects of one stage at once, as a sync applies them. */
  readonly stages: readonly (readonly RawObject[])[];
  readonly connections: number;
}

/** Seconds that a bare HTTP client needs for these server-side applies over connections that are open and kept: the floor for any client of this size. */
export async function rawApply(access: ApiAccess, { stages, connections }: RawApply): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: access.ca });
  try {
    const open = Array.from({ length: connections }, () => ask(access, agent, { method: "GET", path: "/version", body: "" }));
    await Promise.all(open);
    const started = performance.now();
    for (const stage of stages) {
      await mapConcurrently(stage, {
        limit: connections,
        work: ({ path, body }) => ask(access, agent, { method: "PATCH", path: `${path}?fieldManager=raw&force=true`, body }),
      });
    }
    return (performance.now() - started) / 1000;
  } finally {
    agent.destroy();
  }
}

function ask(
  { server, token }: ApiAccess,
  agent: Agent,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
): Promise<void> {
  const headers = {
    authorization: `Bearer ${token ?? ""}`,
    ...(body === "" ? {} : { "content-type": "application/apply-patch+yaml", "content-length": Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, server), { agent, method, headers }, (response) => {
      response.once("error", reject);
      response.once("end", () => {
        const status = response.statusCode ?? 0;
        if (status < 300) resolve();
        else reject(new DriftlessError("cluster", `${method} ${path} was answered with ${status}`));
      });
      response.resume();
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
