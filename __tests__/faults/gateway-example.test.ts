import { afterEach, describe, expect, test } from '@jest/globals';
import { killChildren } from '../helpers/e2e-children.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { show } from '../helpers/fault-size.ts';
import {
  call,
  callAll,
  FAULTLESS,
  healing,
  judge,
  open,
  statusesOf,
} from '../helpers/fault-traffic.ts';
import { openSessions, type Addressed } from '../helpers/mcp-client.ts';
import type { RedisServer } from '../helpers/redis-server.ts';
import {
  asked,
  MASTER_NAME,
  startClusterSet,
  startSentinelSet,
} from '../helpers/redis-topology.ts';
import { scriptedBackends } from '../helpers/scripted-backend.ts';

const PASSWORD = 'not-a-secret';

interface Given {
  readonly settings: Record<string, string>;
  readonly master: RedisServer | undefined;
}

afterEach(killChildren);

function addresses(servers: readonly RedisServer[]): string {
  return servers.map(({ host, port }) => `${host}:${port}`).join(', ');
}

async function protect(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    await asked(server, async (admin) => {
      await admin.config('SET', 'masterauth', PASSWORD);
      await admin.config('SET', 'requirepass', PASSWORD);
    });
  }
}

async function sentinels(): Promise<Given> {
  const { master, replicas, sentinels: all } = await startSentinelSet();
  for (const sentinel of all) {
    await asked(sentinel, async (admin) =>
      admin.call('SENTINEL', 'SET', MASTER_NAME, 'auth-pass', PASSWORD),
    );
  }
  await protect([master, ...replicas]);
  return { settings: { REDIS_SENTINELS: addresses(all) }, master };
}

async function cluster(): Promise<Given> {
  const { masters, replicas } = await startClusterSet();
  await protect([...masters, ...replicas]);
  return { settings: { REDIS_CLUSTER: addresses(masters) }, master: masters[0] };
}

async function started(settings: Record<string, string>): Promise<Addressed> {
  return { url: new URL((await startGateway(settings)).url).origin };
}

describe('two of examples/gateway.ts', () => {
  test.each([
    ['REDIS_SENTINELS', sentinels, 6000],
    ['REDIS_CLUSTER', cluster, 8000],
  ])(
    'share the sessions kept by %s, and go on when a master dies',
    async (name, start, failsFor) => {
      const [{ settings, master }, backends] = await Promise.all([start(), scriptedBackends(2)]);
      const BACKENDS = backends.map(({ origin }) => origin).join(',');
      const all = { ...settings, BACKENDS, REDIS_PASSWORD: PASSWORD };
      const [one, other] = await Promise.all([started(all), started(all)]);
      const sessions = await openSessions(one, 20);
      expect(statusesOf(await callAll(other, sessions))).toEqual([200]);

      await master?.kill();
      const killedAt = performance.now();
      const cold = await started(all);
      await healing(...sessions.map((id) => () => call(cold, id)), () => open(one));
      const healed = performance.now() - killedAt;
      const calls = [...(await callAll(cold, sessions)), ...(await callAll(one, sessions))];
      show(`examples/gateway.ts, ${name}: a master dies, all is well after ${healed.toFixed()} ms`);
      expect(healed).toBeLessThan(failsFor);
      expect(statusesOf(calls)).toEqual([200]);
      expect(judge(backends, calls)).toEqual(FAULTLESS);
    },
  );
});
