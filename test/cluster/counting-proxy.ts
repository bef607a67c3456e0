import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface CountingProxy {
  /** `https://127.0.0.1:PORT`; TLS goes through untouched. */
  readonly server: string;
  readonly connections: () => number;
  /** Resets every connection that is open now. */
  resetAll(): void;
}

/** Forwards TCP to the API server at `target` and counts the connections. */
export async function startCountingProxy(t: TestContext, target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  const proxy = createServer((downstream) => {
    connections++;
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const resetAll = () => open.forEach((socket) => socket.resetAndDestroy());
  t.after(() => {
    resetAll();
    proxy.close();
  });
  return { server: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`, connections: () => connections, resetAll };
}
