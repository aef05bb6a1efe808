import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type AddressInfo, type Socket } from 'node:net';

export interface GatewayServer {
  /** Address and port as bound: `http://127.0.0.1:3000`. */
  origin: string;
  /** Takes no new connections; gives requests `grace` milliseconds to finish, event streams none. */
  drain(grace: number): Promise<void>;
}

export async function listen(
  app: RequestListener,
  port: number,
  host: string,
): Promise<GatewayServer> {
  const server = createServer(app);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const streams = new Set<ServerResponse>();
  server.on('request', (req, res) => {
    if (req.method !== 'GET' || !req.headers.accept?.includes('text/event-stream')) return;
    streams.add(res);
    res.once('close', () => streams.delete(res));
  });
  await listening(server.listen(port, host), port, host);
  return { origin: originOf(server), drain };

  async function drain(grace: number): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    for (const stream of streams) stream.destroy();
    // Node waits for a connection on which no request was ever sent, as browsers and fetch open them.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    // A connection that becomes idle from now on would be kept open for its next request.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const deadline = setTimeout(() => server.closeAllConnections(), grace);
    await closed;
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'EADDRINUSE'
      ? new Error(`${host}:${port} is in use: give another PORT (0 picks a free one)`)
      : new Error(`${host}:${port} cannot be listened on (${code}): give another HOST or PORT`);
  }
}

function originOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
