import { once } from 'node:events';
import { createServer, type RequestListener, type Server, ServerResponse } from 'node:http';
import { isIPv6, Server as NetServer, type AddressInfo, type Socket } from 'node:net';

/** How long a connection that nobody uses is kept open while the gateway stops (ms). */
const LINGER = 1000;

interface Life {
  draining: boolean;
}

export interface GatewayServer {
  /** Address and port as bound: `http://127.0.0.1:3000`. */
  origin: string;
  /**
   * Takes no new connections, and sends the clients of those that are open away: each answer says
   * `Connection: close`. Requests may take `grace` milliseconds to finish.
   */
  drain(grace: number): Promise<void>;
}

export interface ListenOptions {
  /** How long an unused connection is kept, in milliseconds. @default that of Node */
  keepAliveTimeout?: number;
}

export async function listen(
  app: RequestListener,
  port: number,
  host: string,
  options: ListenOptions = {},
): Promise<GatewayServer> {
  const server = createServer(options);
  const sockets = new Set<Socket>();
  const life: Life = { draining: false };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_req, res: Answering) => {
    res[LIFE] = life;
    Object.assign(res, { writeHead });
  });
  server.on('request', app);
  await listening(server.listen(port, host), port, host);
  return { origin: originOf(server), drain };

  async function drain(grace: number): Promise<void> {
    life.draining = true;
    const closed = once(server, 'close');
    // `server.close()` would close idle connections as well, while a request may be on its way on them.
    // oxlint-disable-next-line typescript/unbound-method -- called with the server as `this`
    Reflect.apply(NetServer.prototype.close, server, []);
    const timers = [
      setTimeout(() => timers.push(setInterval(closeIdle, 50)), LINGER),
      setTimeout(() => server.closeAllConnections(), grace),
    ];
    await closed;
    for (const timer of timers) clearTimeout(timer);
  }

  function closeIdle(): void {
    server.closeIdleConnections();
    // Node waits for a connection on which no request was ever sent, as browsers and fetch open them.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}

/** The server of a response; not a function of each response, which V8 would collect late. */
const LIFE = Symbol('life');

type Answering = ServerResponse & { [LIFE]?: Life };

/** Lets answers of a server that drains be the last ones of their connections; the proxy, for one, says "keep-alive". */
function writeHead(this: Answering, ...head: unknown[]): unknown {
  if (this[LIFE]?.draining) this.setHeader('Connection', 'close');
  // oxlint-disable-next-line typescript/unbound-method -- called with the response as `this`
  return Reflect.apply(ServerResponse.prototype.writeHead, this, head);
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
