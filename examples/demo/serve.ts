import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

/** Listens on `PORT`, or on a free port, prints the origin, and ends with whoever has started this process. */
export async function serve(app: Express): Promise<{ server: Server; origin: string }> {
  // Nobody reads the address any more: whoever started this server is gone.
  process.stdout.on('error', () => process.exit(0));
  if (process.connected !== undefined) {
    // Ctrl-C reaches the whole process group: the gateway lets its requests finish, then stops us.
    process.on('SIGINT', () => undefined);
    process.on('disconnect', () => process.exit(0));
    if (!process.connected) process.exit(0);
  }

  const server = createServer(app).listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(origin);
  return { server, origin };
}
