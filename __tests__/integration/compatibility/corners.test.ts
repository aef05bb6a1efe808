import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { twoGateways } from '../../helpers/corner-gateways.ts';
import { cornerName, corners, type SdkMajor } from '../../helpers/corners.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { createClient, type RealClient } from '../../helpers/e2e-clients.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { drive, openAll, post } from '../../helpers/e2e-runs.ts';
import { until } from '../../helpers/until.ts';

const servers = new Map<SdkMajor, Backends>();

beforeAll(async () => {
  for (const sdk of [1, 2] as const) servers.set(sdk, await startBackends(`SDK v${sdk}`));
});
afterAll(killChildren);

const named = corners.map((corner) => ({ name: cornerName(corner), corner }));

// The titles say which Node has run them, whatever started it.
describe(`Node ${process.versions.node}`, () => {
  describe.each(named)('$name', ({ corner }) => {
    async function start(): Promise<{ urls: string[]; create: (name?: string) => RealClient }> {
      const origins = servers.get(corner.server)?.origins.values() ?? [];
      const urls = await twoGateways(corner, [...origins]);
      return { urls, create: (name = 'client') => clientOf(corner.client, urls, name) };
    }

    test('the calls of a session arrive where it was opened, through either gateway', async () => {
      const { create } = await start();
      const fleet = ['one', 'two', 'three', 'four'].map(create);
      const sessions = await openAll(fleet);
      expect(await drive(fleet, 3)).toEqual({ answered: 12, complaints: [] });
      const { ownCalls, astray, repeated, owners } = judge(historyOf(corner.server, sessions));
      expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
      expect(ownCalls(sessions)).toBe(12);
      expect(new Set(owners.values()).size).toBeGreaterThan(1);
    });

    test('a tool tells of its progress, and the server asks its client', async () => {
      const client = (await start()).create('asked');
      await client.open();
      const seen: number[] = [];
      const nonce = randomUUID();
      await client.call('progress', { nonce }, (progress) => seen.push(progress));
      expect(seen).toEqual([1, 2, 3]);
      expect(await client.call('sample', { nonce })).toContain('sampled by asked');
    });

    test('the server speaks on the stream that its client holds open', async () => {
      const client = (await start()).create();
      await client.open();
      await client.listening();
      const nonce = randomUUID();
      await client.call('announce', { nonce });
      expect(await client.logged()).toBe(nonce);
    });

    test('a session that was ended is 404 on both gateways, one that never was is 400', async () => {
      const { urls, create } = await start();
      const client = create();
      await client.open();
      const session = client.session();
      await client.terminate();
      for (const url of urls) {
        await until(async () => (await post(url, session)).status === 404);
        expect((await post(url, randomUUID())).status).toBe(400);
      }
    });
  });
});

/** A client whose requests go to the gateways in turns. */
function clientOf(sdk: SdkMajor, urls: readonly string[], name: string): RealClient {
  let turn = 0;
  const client = createClient(`SDK v${sdk}`, urls[0] ?? '', {
    name,
    fetch: (_to, init) => fetch(urls[turn++ % urls.length] ?? '', init),
  });
  onCleanup(() => client.close());
  return client;
}

function historyOf(sdk: SdkMajor, sessions: readonly string[]): ReturnType<Backends['history']> {
  const history = servers.get(sdk)?.history() ?? [];
  return history.filter(({ session = '' }) => sessions.includes(session));
}
