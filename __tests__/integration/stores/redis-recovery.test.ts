import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { RedisStore } from '../../../src/index.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { call, openSession } from '../../helpers/mcp-client.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';
import { connect, ready } from './redis-fixture.ts';

interface Fleet {
  readonly gateways: readonly [Gateway, Gateway];
  readonly a: ScriptedBackend;
  readonly b: ScriptedBackend;
  /** Of a session on `a` that both gateways have in their caches. */
  readonly id: string;
}

async function fleet(): Promise<Fleet> {
  const [a, b] = (await scriptedBackends(2)) as [ScriptedBackend, ScriptedBackend];
  const prefix = `${randomUUID()}:`;
  const url = await sharedRedisUrl();
  const options = { backends: [a.origin, b.origin], recover: true };
  const start = async (): Promise<Gateway> => {
    const client = await ready(connect(url));
    return gateway({ store: new RedisStore({ client, prefix }), options });
  };
  const gateways = [await start(), await start()] as const;
  const client = await ready(connect(url));
  await until(async () => (await client.pubsub('NUMSUB', `${prefix}ended`))[1] === 2);
  const id = await openSession(gateways[0]);
  await call(gateways[1], id).expect(200);
  return { gateways, a, b, id };
}

test('what one gateway has recovered no other one sends to the old backend, should that come back', async () => {
  const { gateways, a, b, id } = await fleet();
  const [one, other] = gateways;
  await a.refuse();
  await call(one, id).expect(200);
  await a.reopen();
  const before = a.hits.length;
  await until(async () => (await call(other, id)).text.includes('b: '));
  expect(a.sessions.has(id)).toBe(true);
  expect(a.hits.length - before).toBeLessThanOrEqual(1);
  expect(b.sessions.size).toBe(1);
});

test('20 requests over two gateways make one new session', async () => {
  const { gateways, a, b, id } = await fleet();
  await a.refuse();
  const calls = Array.from({ length: 20 }, (_, at) =>
    call(gateways[at % 2] ?? gateways[0], id).then(({ status }) => status),
  );
  expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
  const opened = b.hits.filter(({ body }) => body.includes('"initialize"'));
  expect([opened.length, b.sessions.size]).toEqual([1, 1]);
});
