import { describe, expect, it } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { backendFlags, run } from '../../helpers/command-line.ts';
import { call, initialize, openSessions, type Addressed } from '../../helpers/mcp-client.ts';
import { startRedis, type RedisServer } from '../../helpers/redis-server.ts';
import {
  asked,
  MASTER_NAME,
  ownRedis,
  startSmallestCluster,
} from '../../helpers/redis-topology.ts';
import { scriptedBackends } from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

const PASSWORD = 'not-a-secret';

/** From now on nobody is let in without the password. */
async function protect(server: RedisServer): Promise<void> {
  await asked(server, (admin) => admin.config('SET', 'requirepass', PASSWORD));
}

async function sentinel(): Promise<string[]> {
  const master = await ownRedis();
  await protect(master);
  const watched = [
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} 1`,
    `sentinel auth-pass ${MASTER_NAME} ${PASSWORD}`,
  ];
  const server = await startRedis({ sentinel: watched });
  onCleanup(() => server.stop());
  return ['--redis-sentinels', `${server.host}:${server.port}`, '--redis-master-name', MASTER_NAME];
}

async function cluster(): Promise<string[]> {
  const node = await startSmallestCluster();
  onCleanup(() => node.stop());
  await protect(node);
  return ['--redis-cluster', `${node.host}:${node.port}`];
}

async function gatewayWith(flags: readonly string[]): Promise<Addressed> {
  const env = { REDIS_PASSWORD: PASSWORD };
  const command = run(['gateway', '--port', '0', '--drain', '1', ...flags], env);
  const { origin } = new URL(await command.printed(/^listening on (\S+)$/m));
  const gw = { url: origin };
  // A client of a Cluster may not have found it yet.
  await until(async () => (await initialize(gw)).status === 200);
  return gw;
}

describe('two gateways of the command line', () => {
  it.each([
    ['--redis-sentinels', sentinel],
    ['--redis-cluster', cluster],
  ])('share their sessions by %s, with a password', async (_, start) => {
    const [flags, backends] = await Promise.all([start(), scriptedBackends(2)]);
    const all = [...flags, ...backendFlags(backends.map(({ origin }) => origin))];
    const [one, other] = await Promise.all([gatewayWith(all), gatewayWith(all)]);
    const ids = await openSessions(one, 6);
    for (const id of ids)
      expect((await call(other, id)).text).toContain(`"${id.slice(0, 1)}: hello"`);
  });
});
