import { randomUUID } from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { backendsFile, type BackendsFile } from '../helpers/backends-file.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { ask, INITIALIZE, toolCall } from '../helpers/fault-client.ts';
import { FAULTLESS, judgeServers } from '../helpers/fault-history.ts';
import {
  entryOf,
  faultServers,
  type FaultServer,
  type FaultServers,
} from '../helpers/fault-servers.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { sharedRedisUrl } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

jest.setTimeout(120_000);

const SESSIONS = FULL ? 1000 : 30;

test.each(['with a connection that was used before', 'also by a gateway that has never seen them'])(
  'a process that takes over the address of a dead one gets 0 bytes of its sessions, %s',
  async (how) => {
    const { servers, old, file, ways } = await scene();
    // The second gateway has the sessions neither in its cache nor on a connection.
    const used = how.startsWith('with') ? ways : ways.slice(0, 1);
    const sessions = await openSessions(used);
    await old.kill();
    const heir = await servers.start('heir', old.port);
    const mark = await servers.start('mark');
    file.write([entryOf(heir), entryOf(mark)]);
    for (const way of ways) await until(() => opensOn(way, 'mark'));
    const before = heir.received();

    const statuses = await useAll(ways, sessions);

    expect(statuses).toEqual(statuses.map(() => 404));
    const leaked = heir.received().length - before.length;
    expect(leaked).toBe(0);
    expect(sessions.filter((session) => before.includes(session))).toEqual([]);
    await until(() => opensOn(ways[0] as Way, 'heir'));
    expect(judgeServers(servers.history())).toEqual(FAULTLESS);
    show(
      `address taken over, ${how}: ${statuses.length} requests (POST, GET) of ${sessions.length} sessions ` +
        `told 404, ${leaked} bytes of them at the new process`,
    );
  },
);

/** One server and two gateways with one Redis. */
async function scene(): Promise<{
  servers: FaultServers;
  old: FaultServer;
  file: BackendsFile;
  ways: Way[];
}> {
  const servers = faultServers();
  const old = await servers.start('old');
  const file = backendsFile([entryOf(old)]);
  const settings = { BACKENDS_FILE: file.path, REDIS_URL: await sharedRedisUrl() };
  const gateways = await Promise.all([startGateway(settings), startGateway(settings)]);
  for (const { child } of gateways) onCleanup(() => child.kill());
  return { servers, old, file, ways: gateways.map(({ url }) => new Way(url)) };
}

/** Opens sessions and uses each by all of these ways. */
async function openSessions(ways: readonly Way[]): Promise<string[]> {
  const sessions: string[] = [];
  for (let turn = 0; turn < SESSIONS; turn += 1) {
    const [session = ''] = await openAll(ways.slice(0, 1));
    for (const way of ways) await ask(way, session, toolCall(randomUUID()));
    sessions.push(session);
  }
  return sessions;
}

async function openAll(ways: readonly Way[]): Promise<string[]> {
  const answers = await Promise.all(ways.map((way) => ask(way, undefined, INITIALIZE)));
  return answers.map(({ session = '' }) => session);
}

/** What a gateway knows it tells by where it opens sessions. */
async function opensOn(way: Way, id: string): Promise<boolean> {
  const [session = ''] = await openAll([way]);
  return session.startsWith(`${id}.`);
}

async function useAll(ways: readonly Way[], sessions: readonly string[]): Promise<unknown[]> {
  const statuses: unknown[] = [];
  for (const session of sessions) {
    for (const way of ways) {
      for (const method of ['POST', 'GET']) statuses.push(await use(way, session, method));
    }
  }
  return statuses;
}

async function use(way: Way, session: string, method: string): Promise<unknown> {
  const headers = [`Mcp-Session-Id: ${session}`, 'MCP-Protocol-Version: 2025-11-25'];
  const body = method === 'POST' ? JSON.stringify({ jsonrpc: '2.0', id: 1, ...toolCall('x') }) : '';
  const reply = await way.send(method, headers, body);
  return typeof reply === 'object' ? reply.status : reply;
}
