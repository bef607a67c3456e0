import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The line to an API server, which can be cut: what goes through it is not looked at. */
export interface Line {
  /** `https://127.0.0.1:PORT`, for which the API server's own certificate is good. */
  readonly server: string;
  /** From now on connections are taken and never answered; those that are open say nothing any more. */
  swallow(): void;
  /** From now on every connection ends as soon as it is there. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

export async function startLine(target: string): Promise<Line> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  let state: "whole" | "swallowing" | "cut" = "whole";

  const server = createServer((near) => {
    keep(near);
    if (state === "cut") near.destroy();
    if (state !== "whole") return;
    const far = keep(connect(Number(port), "127.0.0.1"));
    const join = (from: Socket, to: Socket): void => {
      from.on("data", (bytes) => {
        if (state !== "swallowing") to.write(bytes);
      });
      from.on("close", () => to.destroy());
    };
    join(near, far);
    join(far, near);
  });

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  }

  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow() {
      state = "swallowing";
    },
    cut() {
      state = "cut";
      drop();
    },
    restore() {
      state = "whole";
      drop();
    },
    async close() {
      drop();
      server.close();
      await once(server, "close");
    },
  };
}
