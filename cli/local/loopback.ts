import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP server that only this machine can reach. */
export interface LoopbackServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Takes no new request, lets the open ones be answered for `graceMs`, then drops them. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface LoopbackOptions {
  /** 0, the default, picks a free one. */
  readonly port?: number;
}

/** Serves `respond`, whose rejection becomes a bare 500. */
export async function startLoopback(
  respond: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { port = 0 }: LoopbackOptions = {},
): Promise<LoopbackServer> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    respond(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  // Longer than any client keeps an idle connection: else a request meets a socket that is just being closed.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    async close({ graceMs = 0 } = {}) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if (graceMs > 0 && open.size > 0) await answered([...open], graceMs);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answered(open: readonly ServerResponse[], atMostMs: number): Promise<void> {
  const signal = AbortSignal.timeout(atMostMs);
  await Promise.all(open.map((response) => once(response, "close", { signal }))).catch(() => undefined);
}

/** The whole body, or undefined when it is longer than `limit` bytes (the rest is read and dropped, so that the answer arrives). */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks, size);
}

/** Answers JSON with the length known, so that the connection stays usable. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers });
  response.end(bytes);
}
