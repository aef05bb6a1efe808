import net from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { killChildren } from '../helpers/e2e-children.ts';
import { startGateway, startSlowTcp } from '../helpers/e2e-gateways.ts';
import { ask, INITIALIZE, toolCall } from '../helpers/fault-client.ts';
import { FAULTLESS, judgeServers } from '../helpers/fault-history.ts';
import { faultServers } from '../helpers/fault-servers.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { sharedRedisUrl } from '../helpers/redis-server.ts';

jest.setTimeout(120_000);
afterEach(killChildren);

const CLIENTS = FULL ? 1000 : 150;

test(`kill -9 of a gateway in mid-initialize: every id that a client has seen is at home on the other one`, async () => {
  const servers = faultServers();
  const three = await Promise.all(['a', 'b', 'c'].map((id) => servers.start(id)));
  const BACKENDS = three.map(({ url }) => url).join(',');
  const redis = new URL(await sharedRedisUrl());
  // The answers of Redis are late: at any moment many sessions are stored and not yet told of.
  const slow = await startSlowTcp(Number(redis.port), { answers: 40 });
  const victim = await startGateway({ BACKENDS, REDIS_URL: `redis://127.0.0.1:${slow.port}` });
  const other = await startGateway({ BACKENDS, REDIS_URL: redis.href });

  const seen = await idsSeen(victim.url, () => victim.child.kill());
  const way = new Way(other.url);
  const statuses = await Promise.all(
    seen.map(async (id) => (await ask(way, id, toolCall(id))).status),
  );

  expect(seen.length).toBeGreaterThanOrEqual(CLIENTS / 4);
  expect(seen.length).toBeLessThan(CLIENTS);
  expect(statuses).toEqual(seen.map(() => 200));
  expect(judgeServers(servers.history())).toEqual(FAULTLESS);
  const opened = servers.history().filter(({ did }) => did === 'opened').length;
  show(
    `kill -9 of a gateway in mid-initialize: ${CLIENTS} clients, ${opened} sessions opened by the servers, ` +
      `${seen.length} ids seen by clients, all ${statuses.length} at home on the other gateway`,
  );
});

/** Initializes with all clients at once, and strikes when a quarter has seen an id; every id that came, be its answer whole or not. */
async function idsSeen(url: string, strike: () => unknown): Promise<string[]> {
  const seen: string[] = [];
  let struck: unknown;
  const { port, host, pathname } = new URL(url);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...INITIALIZE });
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  const clients = Array.from({ length: CLIENTS }, async () => {
    const socket = net.connect(Number(port), '127.0.0.1').on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      const before = ID.test(text);
      text += chunk.toString('latin1');
      const [, id] = before ? [] : (ID.exec(text) ?? []);
      if (id !== undefined) seen.push(id);
      if (seen.length >= CLIENTS / 4) struck ??= strike();
    });
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    await closed;
  });
  await Promise.all(clients);
  await struck;
  return seen;
}

const ID = /^mcp-session-id: (\S+)\r\n/im;
