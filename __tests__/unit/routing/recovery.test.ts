import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { Outages } from '../../../src/backends/outages.ts';
import { Places } from '../../../src/routing/places.ts';
import { Recovery, type NewOpening, type Opened } from '../../../src/routing/recovery.ts';
import { newRecord } from '../../../src/store/record.ts';
import { SessionDirectory } from '../../../src/store/session-directory.ts';
import { deferred } from '../../helpers/deferred.ts';
import { keyOf, scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';

const A = 'http://a';
const SESSION = { id: 'x', key: keyOf('x') };
const RECORD = newRecord({ key: SESSION.key, nonce: 'n', backendUrl: A, path: '/mcp' });
const BODY = '{"method":"initialize"}';

interface Gateway {
  readonly recover: (method?: string) => ReturnType<Recovery['recover']>;
  readonly recovery: Recovery;
  readonly opened: NewOpening[];
  readonly forgotten: string[];
  readonly recovered: string[];
}

/** A gateway whose backend answers in this way. */
function gatewayOn(
  store: ScriptedStore,
  answer: () => Promise<Opened> = async () => ({ kind: 'opened', sessionId: 'y' }),
  wanted = true,
): Gateway {
  const [opened, forgotten, recovered]: [NewOpening[], string[], string[]] = [[], [], []];
  const now = (): number => performance.now();
  const options = { ttl: 1000, endedTtl: 1000, storeTimeout: 1000, cache: undefined, now };
  const directory = new SessionDirectory(store, { ...options, onFailure() {} }, () => {});
  const recovery = new Recovery({
    directory,
    places: new Places({ backends: undefined, outages: new Outages(now), lostAfter: 50 }),
    wanted: () => wanted,
    open: (opening) => {
      opened.push(opening);
      return answer();
    },
    forget: (_opening, sessionId) => void forgotten.push(sessionId),
    onRecovered: (_key, backendUrl) => void recovered.push(backendUrl),
  });
  const recover: Gateway['recover'] = (method = 'POST') =>
    recovery.recover(SESSION, RECORD, { method } as IncomingMessage);
  return { recover, recovery, opened, forgotten, recovered };
}

async function storeWithSession(kept = true): Promise<ScriptedStore> {
  const store = scriptedStore();
  store.put('x', RECORD);
  if (kept)
    await gatewayOn(store).recovery.keep(SESSION.key, SESSION.id, { path: '/mcp', body: BODY });
  return store;
}

describe('a session that is lost', () => {
  test('D2: is opened anew with what its client has said, and found under its new name', async () => {
    const store = await storeWithSession();
    const { recover, opened, recovered } = gatewayOn(store);
    expect(await recover()).toMatchObject({ kind: 'pinned', backendUrl: A, backendSession: 'y' });
    expect(opened).toMatchObject([{ origin: A, path: '/mcp', body: BODY }]);
    expect([store.recordOf('x')?.['version'], recovered]).toEqual([2, [A]]);
  });

  test('D2: of many requests of one process that find a session lost, one opens it anew', async () => {
    const store = await storeWithSession();
    const { recover, opened } = gatewayOn(store);
    const calls = store.calls.length;
    const routes = await Promise.all([recover(), recover(), recover()]);
    expect(routes.map((route) => route?.kind)).toEqual(['pinned', 'pinned', 'pinned']);
    expect(opened).toHaveLength(1);
    expect(store.calls.slice(calls).filter(({ verb }) => verb === 'create')).toHaveLength(1);
  });

  test('D2: of two gateways that find a session lost, one opens it anew', async () => {
    const store = await storeWithSession();
    const { promise, resolve } = deferred<Opened>();
    const [one, other] = [gatewayOn(store, () => promise), gatewayOn(store)];
    const first = one.recover();
    await store.called('create');
    const second = other.recover();
    resolve({ kind: 'opened', sessionId: 'y' });
    expect([await first, await second]).toMatchObject([
      { backendSession: 'y' },
      { backendSession: 'y' },
    ]);
    expect([one.opened.length, other.opened]).toEqual([1, []]);
  });

  test('C3: that is deleted meanwhile stays deleted, and what was opened is given back', async () => {
    const store = await storeWithSession();
    const { recover, forgotten, recovered } = gatewayOn(store, async () => {
      store.put('x', { ...RECORD, version: 2, ended: true });
      return { kind: 'opened', sessionId: 'y' };
    });
    expect(await recover()).toEqual({ kind: 'refuse', reason: 'session_ended' });
    expect([forgotten, recovered]).toEqual([['y'], []]);
  });

  test('that was moved meanwhile is followed, and what was opened is given back', async () => {
    const store = await storeWithSession();
    const { recover, forgotten } = gatewayOn(store, async () => {
      store.put('x', { ...RECORD, version: 2, backend_url: 'http://b' });
      return { kind: 'opened', sessionId: 'y' };
    });
    expect(await recover()).toMatchObject({ backendUrl: 'http://b', backendSession: undefined });
    expect(forgotten).toEqual(['y']);
  });

  test('that was moved, or ended, before is not opened', async () => {
    const store = await storeWithSession();
    const { recover, opened } = gatewayOn(store);
    store.put('x', { ...RECORD, version: 2, backend_url: 'http://b' });
    expect(await recover()).toMatchObject({ backendUrl: 'http://b' });
    store.put('x', { ...RECORD, version: 3, ended: true });
    expect(await recover()).toEqual({ kind: 'refuse', reason: 'session_ended' });
    expect(opened).toEqual([]);
  });

  test.each([
    ['by a DELETE', 'DELETE', true, true],
    ['if the app does not want it', 'POST', false, true],
    ['if its initialize was not kept', 'POST', true, false],
  ])('is not recovered %s', async (_when, method, wanted, kept) => {
    const store = await storeWithSession(kept);
    const { recover, opened } = gatewayOn(store, undefined, wanted);
    expect([await recover(method), opened]).toEqual([undefined, []]);
  });

  test('is not recovered by a backend that does not open one', async () => {
    const { recover, recovered } = gatewayOn(await storeWithSession(), async () => ({
      kind: 'failed',
    }));
    expect([await recover(), recovered]).toEqual([undefined, []]);
  });

  test('is kept while nobody takes it, for lostAfter', async () => {
    const { recover } = gatewayOn(await storeWithSession(), async () => ({ kind: 'unreachable' }));
    expect(await recover()).toEqual({ kind: 'refuse', reason: 'backend_unreachable' });
    let outcome: unknown = await recover();
    while (outcome !== undefined) outcome = await recover();
    expect(await recover()).toBeUndefined();
  });

  test('A9: is kept while the store does not answer', async () => {
    const store = await storeWithSession();
    const { recover, recovery } = gatewayOn(store);
    for (const fault of ['reject', { create: 'reject' }, { replace: 'reject' }] as const) {
      store.fault = fault;
      expect(await recover()).toEqual({ kind: 'refuse', reason: 'store_unavailable' });
    }
    store.fault = 'reject';
    await expect(
      recovery.keep(SESSION.key, 'x', { path: '/mcp', body: BODY }),
    ).resolves.toBeUndefined();
  });
});
