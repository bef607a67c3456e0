import { request } from "node:https";

export interface ApiResponse {
  readonly status: number;
  readonly text: string;
}

export interface ApiAccess {
  /** Such as https://127.0.0.1:6443. */
  readonly server: string;
  /** PEM; the server's certificate is checked against it in full. */
  readonly ca: string;
  readonly token?: string;
}

export interface ApiCall {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** By which the API server names the field manager of a write that names none. */
  readonly userAgent?: string;
}

/** One call of the Kubernetes API; any status is an answer, only a failed connection throws. Gives up after 20 seconds. */
export function callApi(access: ApiAccess, path: string, call: ApiCall = {}): Promise<ApiResponse> {
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, access.server),
      {
        method: call.method ?? "GET",
        ca: access.ca,
        agent: false,
        timeout: 20_000,
        headers: {
          ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
          ...(call.userAgent === undefined ? {} : { "user-agent": call.userAgent }),
          ...(body === undefined
            ? {}
            : { "content-type": call.contentType ?? "application/json", "content-length": Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }));
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error(`no answer from ${access.server} in 20 s`)));
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
