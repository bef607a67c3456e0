import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/**
 * What can happen to a call: an answer in the server's stead, a connection that is cut before or after the server did what was
 * asked, an answer that ends half-way, or none.
 */
export const faults = [
  "429 with Retry-After",
  "500",
  "502",
  "503",
  "504",
  "reset before",
  "reset after",
  "half an answer",
  "no answer",
] as const;
export type Fault = (typeof faults)[number];

export interface FaultProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly server: string;
  /** Requests that came in so far. */
  readonly calls: () => number;
  readonly injected: () => number;
}

export interface FaultProxyOptions {
  readonly target: { readonly server: string; readonly ca: string };
  /** Share of calls that fail, of 1; the nth call for a path has the same fate in every run with one seed. */
  readonly rate: number;
  readonly seed: number;
}

/** HTTP on loopback that hands calls on to an API server, and lets a share of them fail. */
export async function startFaultProxy(t: TestContext, { target, rate, seed }: FaultProxyOptions): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true, ca: target.ca, maxSockets: 32 });
  const seen = new Map<string, number>();
  let calls = 0;
  let injected = 0;

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    calls++;
    const call = `${incoming.method} ${incoming.url?.split("?")[0]}`;
    const count = (seen.get(call) ?? 0) + 1;
    seen.set(call, count);
    const draw = createHash("sha256").update(`${seed} ${call} ${count}`).digest();
    const fault = draw.readUInt32BE(0) / 2 ** 32 < rate ? faults[draw.readUInt32BE(4) % faults.length] : undefined;
    if (fault !== undefined) injected++;
    const body = await bodyOf(incoming);
    try {
      await answer({ incoming, response, body, fault });
    } catch {
      response.destroy();
    }
  }

  async function answer(call: {
    readonly incoming: IncomingMessage;
    readonly response: ServerResponse;
    readonly body: Buffer;
    readonly fault: Fault | undefined;
  }): Promise<void> {
    const { incoming, response, body, fault } = call;
    switch (fault) {
      case "429 with Retry-After":
        return void response.writeHead(429, { "Retry-After": "1" }).end("too many");
      case "500":
      case "502":
      case "503":
      case "504":
        return void response.writeHead(Number(fault)).end("Internal error occurred: broken");
      case "reset before":
        return void incoming.socket.resetAndDestroy();
      case "no answer":
        return;
      case "reset after":
      case "half an answer":
      case undefined: {
        const reply = await forward(incoming, body);
        if (fault === "reset after") return void incoming.socket.resetAndDestroy();
        response.writeHead(reply.status, { "Content-Type": reply.contentType, "Content-Length": reply.body.length });
        if (fault === undefined) return void response.end(reply.body);
        return void response.write(reply.body.subarray(0, reply.body.length / 2), () => incoming.socket.resetAndDestroy());
      }
      default:
        return fault satisfies never;
    }
  }

  function forward(incoming: IncomingMessage, body: Buffer) {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; contentType: string; body: Buffer }>();
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const outgoing = httpsRequest(new URL(incoming.url ?? "/", target.server), { method: incoming.method, headers, agent });
    outgoing.on("error", reject);
    outgoing.on("response", (reply) => {
      const contentType = reply.headers["content-type"] ?? "";
      bodyOf(reply).then((content) => resolve({ status: reply.statusCode ?? 0, contentType, body: content }), reject);
    });
    outgoing.end(body);
    return promise;
  }

  const proxy = createServer((incoming, response) => void respond(incoming, response));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
    agent.destroy();
  });
  return { server: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, calls: () => calls, injected: () => injected };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
