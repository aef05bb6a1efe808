import { describe, expect, test } from '@jest/globals';
import { gateway, type Gateway, type GatewayOptions } from '../../helpers/gateway.ts';
import { call, openSession, openStream } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { TouchedStore } from '../../helpers/touched-store.ts';
import { until } from '../../helpers/until.ts';

const ttl = 1000;
const endedTtl = 60_000;

interface Setting {
  readonly gw: Gateway;
  readonly store: TouchedStore;
  readonly backend: ScriptedBackend;
  readonly id: string;
}

async function session(versions: GatewayOptions = {}): Promise<Setting> {
  const backend = await scriptedBackend();
  const store = new TouchedStore();
  const options = { backends: backend.origin, ttl, endedTtl };
  const gw = await gateway({ ...versions, store, options });
  return { gw, store, backend, id: await openSession(gw) };
}

const expired = ({ store, id }: Setting): boolean => store.expiresIn(id) <= endedTtl;

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test('B8 an open GET stream keeps its session alive, and without one it expires', async () => {
    const setting = await session({ express, proxy });
    const { gw, store, id } = setting;
    const opened = performance.now();
    const stream = await openStream(gw, id);
    await until(() => performance.now() - opened > 1.5 * ttl);
    expect(store.touches).toBeGreaterThan(2);
    expect(gw.sessions.stats().streams).toBe(1);
    expect((await call(gw, id)).status).toBe(200);
    stream.close();
    await until(() => gw.sessions.stats().streams === 0);
    await until(() => expired(setting));
    expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
  });

  test('B8 the stream of a POST keeps its session alive too', async () => {
    const { gw, store, backend, id } = await session({ express, proxy });
    backend.answer = ({ res }) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': open\n\n');
    };
    const answer = call(gw, id).then(() => {});
    await store.touched(5);
    expect(gw.sessions.stats().streams).toBe(1);
    const { res } = await backend.hitWhere(({ headers }) => headers['mcp-session-id'] === id);
    res.end();
    await answer;
    await until(() => gw.sessions.stats().streams === 0);
  });
});

test('B8 a session in use slides, and expires when it is not used', async () => {
  const setting = await session();
  const started = performance.now();
  while (performance.now() - started < 1.5 * ttl) {
    expect((await call(setting.gw, setting.id)).status).toBe(200);
    await until(() => !expired(setting));
  }
  expect(setting.store.touches).toBeLessThan(40);
  await until(() => expired(setting));
  expectRefusal(await call(setting.gw, setting.id), 'session_ended', { id: '2' });
});
