import { expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { recommendedRedisOptions, RedisStore } from '../../src/index.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { ask, INITIALIZE, inLanes } from '../helpers/fault-client.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { gateway } from '../helpers/gateway.ts';
import { sharedRedisUrl } from '../helpers/redis-server.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';

jest.setTimeout(FULL ? 600_000 : 120_000);

/** What spreads is asked for here, and not how long a busy machine lets Redis wait (ms). */
const PATIENCE = 10_000;

const SESSIONS = FULL ? 10_000 : 1000;

type Policy = 'round-robin' | 'least-connections';
type Question = (way: Way) => Promise<unknown>;

const nothing: Question = () => Promise.resolve();
const get: Question = (way) => way.send('GET', ['Accept: text/event-stream']);
/** What clients of two eras ask before they initialize. */
const probe: Question = (way) =>
  way.send(
    'POST',
    ['Content-Type: application/json', 'MCP-Protocol-Version: 2025-11-25'],
    '{"jsonrpc":"2.0","id":0,"method":"server/discover"}',
  );

test.each<[Policy, string, Question]>([
  ['round-robin', 'nothing', nothing],
  ['round-robin', 'GET', get],
  ['round-robin', 'a probe', probe],
  ['least-connections', 'nothing', nothing],
  ['least-connections', 'GET', get],
  ['least-connections', 'a probe', probe],
])(
  'many sessions over two gateways spread evenly: %s, clients that ask %s before',
  async (balance, what, question) => {
    const { ways, backends } = await fleet(balance);
    await inLanes(24, Array(SESSIONS).keys(), async (turn) => {
      const way = ways[turn % ways.length] as Way;
      await question(way);
      expect((await ask(way, undefined, INITIALIZE)).status).toBe(200);
    });
    const counts = backends.map(({ sessions }) => sessions.size);
    const mean = SESSIONS / backends.length;
    const off = Math.max(...counts.map((count) => Math.abs(count - mean) / mean));
    show(
      `${balance}, ${what} before: ${counts.join(', ')} sessions, ${(off * 100).toFixed(1)} % off`,
    );
    expect(off).toBeLessThan(0.05);
  },
);

/** Two gateways with one Redis, in front of three backends. */
async function fleet(balance: Policy): Promise<{ ways: Way[]; backends: ScriptedBackend[] }> {
  const backends = await scriptedBackends(3);
  const url = await sharedRedisUrl();
  const one = async (): Promise<Way> => {
    const patient = { commandTimeout: PATIENCE, socketTimeout: PATIENCE };
    const client = new Redis(url, { ...recommendedRedisOptions, ...patient });
    onCleanup(() => client.disconnect());
    const origins = backends.map(({ origin }) => origin);
    const options = { backends: origins, balance, storeTimeout: PATIENCE };
    const { sessions, url: at } = await gateway({ store: new RedisStore({ client }), options });
    await sessions.ready();
    return new Way(`${at}/mcp`);
  };
  return { backends, ways: await Promise.all([one(), one()]) };
}
