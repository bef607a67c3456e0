import { request } from "node:https";
import { sharedControlPlane } from "../support/cluster.ts";

export interface Person {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, string>>;
}

export interface PersonalCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface PersonalAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** `message` of a refusal; "" for others. */
  readonly message: string;
}

/** Calls of the shared control plane as somebody else, who may do everything there as far as RBAC goes. */
export function callsOf({ user, groups = [], extra = {} }: Person): (call: PersonalCall) => Promise<PersonalAnswer> {
  return async ({ method, path, body, contentType = "application/json" }) => {
    const { server, ca, tokens } = await sharedControlPlane();
    // A list, since one header stands for each group; Node adds nothing to a list.
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = [
      ["host", new URL(server).host],
      ["authorization", `Bearer ${tokens.admin}`],
      ["impersonate-user", user],
      ...["system:authenticated", "system:masters", ...groups].map((group) => ["impersonate-group", group]),
      // A header has no case: capitals are told by their code.
      ...Object.entries(extra).map(([key, value]) => [
        `impersonate-extra-${key.replace(/[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`,
        value,
      ]),
      ...(body === undefined ? [] : [["content-type", contentType]]),
      ["content-length", String(Buffer.byteLength(text))],
    ].flat();
    return new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, server), { method, ca, agent: false, timeout: 20_000, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          const answer = JSON.parse(Buffer.concat(parts).toString("utf8")) as Readonly<Record<string, unknown>>;
          const { message } = answer;
          resolve({ status: response.statusCode ?? 0, body: answer, message: typeof message === "string" ? message : "" });
        });
      });
      outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer from ${server} in 20 s`)));
      outgoing.once("error", reject);
      outgoing.end(text);
    });
  };
}
