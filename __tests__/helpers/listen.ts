import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Listening {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** The connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Resets every open connection. */
  reset(): void;
  /** Frees the port; open connections are destroyed. */
  close(): Promise<void>;
  /** Listens again, on the same port. */
  reopen(): Promise<void>;
}

/** Listens on a free port, or on the one given, of 127.0.0.1. */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await start(server, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    port: taken,
    origin: `http://127.0.0.1:${taken}`,
    sockets,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async reopen() {
      await start(server, taken);
    },
  };
}

async function start(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1', 1024);
  await once(server, 'listening');
}
