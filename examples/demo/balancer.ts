import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A load balancer that knows no sessions: each request goes to the next server, on a connection of its own, or to
 * the one after that where nobody listens any more.
 */
export async function startBalancer(origins: string[]): Promise<{ url: string; stop(): void }> {
  let turn = 0;

  function send(req: IncomingMessage, res: ServerResponse, server: number, tried = 1): void {
    const url = new URL(req.url ?? '/', origins[server % origins.length]);
    const to = request(url, { agent: false, method: req.method, headers: req.headers });
    to.on('socket', (socket) => socket.once('connect', () => req.pipe(to)));
    to.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.pipe(res);
      answer.on('close', () => answer.complete || res.destroy());
    });
    to.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && tried < origins.length)
        send(req, res, server + 1, tried + 1);
      else res.destroy();
    });
    res.on('close', () => to.destroy());
  }

  const server = createServer((req, res) => send(req, res, turn++));
  // A connection that is closed just when a client uses it again would look like a lost call.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
