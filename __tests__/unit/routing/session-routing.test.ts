import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { Backends } from '../../../src/backends/backends.ts';
import type { BackendSource } from '../../../src/backends/discovery.ts';
import { Outages } from '../../../src/backends/outages.ts';
import { Traffic } from '../../../src/backends/traffic.ts';
import { EraFinder } from '../../../src/routing/era-finder.ts';
import { keyOf } from '../../../src/routing/keys.ts';
import { Places } from '../../../src/routing/places.ts';
import type { PinnedRoute, Route } from '../../../src/routing/route.ts';
import {
  SessionRouting,
  type SessionRoutingOptions,
} from '../../../src/routing/session-routing.ts';
import { BACKEND_URL, VERSION, type SessionRecord } from '../../../src/store/record.ts';
import { SessionDirectory } from '../../../src/store/session-directory.ts';
import { scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';

const A = 'http://a';
const B = 'http://b';
const ASKED = { method: 'POST', path: '/mcp' };
const KEY = keyOf('x');
const SESSION = { key: KEY, id: 'x' };
const asking = (method: string): IncomingMessage => ({ method }) as IncomingMessage;
const req = asking('POST');

interface Bench {
  readonly routing: SessionRouting;
  readonly store: ScriptedStore;
  readonly opened: unknown[];
  readonly clock: { time: number };
  /** The route of a session that was opened on a backend. */
  readonly pinned: (backendUrl: string | undefined) => Promise<PinnedRoute>;
  /** Another gateway moves the session. */
  readonly move: (to: string | undefined) => void;
}

interface BenchOptions extends Partial<SessionRoutingOptions> {
  readonly backends?: Backends;
}

function bench({ backends, ...options }: BenchOptions = {}): Bench {
  const store = scriptedStore();
  const opened: unknown[] = [];
  const clock = { time: 0 };
  const now = (): number => clock.time;
  const directory = new SessionDirectory(
    store,
    { ttl: 1000, endedTtl: 1000, storeTimeout: 1000, cache: undefined, now, onFailure: () => {} },
    () => {},
  );
  const routing = new SessionRouting({
    directory,
    places: new Places({ backends, outages: new Outages(now), lostAfter: 100 }),
    recovery: undefined,
    eraFinder: new EraFinder({ backends, ask: async () => ({}) }),
    lostSession: undefined,
    onOpened: (...args) => opened.push(args),
    ...options,
  });
  return {
    routing,
    store,
    opened,
    clock,
    async pinned(backendUrl) {
      const route: Route = {
        kind: 'open',
        opening: true,
        turn: 'opening',
        backendUrl,
        alternatives: [],
      };
      await routing.recording.session(route, SESSION, '/mcp', { caller: undefined });
      const record = store.recordOf('x') as unknown as SessionRecord;
      return { kind: 'pinned', ...SESSION, record, backendUrl, backendSession: undefined };
    },
    move(to) {
      const record = store.recordOf('x');
      store.put('x', { ...record, [VERSION]: Number(record?.[VERSION]) + 1, [BACKEND_URL]: to });
    },
  };
}

function backendsOf(source: BackendSource): Backends {
  return new Backends(source, {
    balance: 'round-robin',
    health: undefined,
    eraTtl: 5000,
    traffic: new Traffic(),
    now: () => 0,
    onDown() {},
    onUp() {},
    onUnlisted() {},
    onRemoved() {},
  });
}

const LIST = backendsOf([A, B]);
const opening = (): Route => ({
  kind: 'open',
  opening: true,
  turn: 'opening',
  backendUrl: undefined,
  alternatives: [],
});

describe('a destination', () => {
  test('A14: is chosen when it is asked for, and only once', () => {
    const { routing } = bench({ backends: backendsOf([A, B]) });
    const route = opening();
    expect(routing.destination(route, req)).toEqual({ kind: 'backend', url: A });
    expect(routing.destination(route, req)).toEqual({ kind: 'backend', url: A });
    expect(routing.destination(opening(), req)).toEqual({ kind: 'backend', url: B });
  });

  test('D9: without a list is the default, also of a session without a backend', async () => {
    const { routing, pinned } = bench();
    expect(routing.destination(opening(), req)).toEqual({ kind: 'default' });
    expect(routing.destination(await pinned(undefined), req)).toEqual({ kind: 'default' });
    expect(routing.destination(await pinned(A), req)).toEqual({ kind: 'backend', url: A });
  });

  test('D8: with a list is never the default of a session', async () => {
    const { routing, pinned } = bench({ backends: LIST });
    const refused = { kind: 'refuse', reason: 'session_ended' };
    expect(routing.destination(await pinned(undefined), req)).toEqual(refused);
  });
});

describe('A1: a live session', () => {
  test.each<[string, BenchOptions, string | undefined]>([
    ['of a backend in the list', { backends: LIST }, A],
    ['of no backend, with a list', { backends: LIST }, undefined],
    ['of a backend, without a list', {}, A],
    ['of no backend, without a list', {}, undefined],
  ])('%s is pinned to what its record says', async (_what, options, backendUrl) => {
    const { routing, pinned } = bench(options);
    const route = await pinned(backendUrl);
    expect(routing.finder.pin(SESSION, route.record, asking('POST'))).toEqual(route);
  });
});

describe('D8: a session whose backend is not in the list', () => {
  test('has ended, and a DELETE of it is done', async () => {
    const { routing, store, pinned } = bench({ backends: LIST });
    const { record } = await pinned('http://c');
    expect(await routing.finder.pin(SESSION, record, asking('POST'))).toEqual({
      kind: 'refuse',
      reason: 'session_ended',
    });
    expect(store.recordOf('x')).toHaveProperty('ended');
    expect(await routing.finder.pin(SESSION, record, asking('DELETE'))).toEqual({
      kind: 'deleted',
    });
  });

  test('is followed to where another gateway has moved it', async () => {
    const { routing, pinned, move } = bench({ backends: LIST });
    const { record } = await pinned('http://c');
    move(B);
    expect(await routing.finder.pin(SESSION, record, asking('POST'))).toMatchObject({
      kind: 'pinned',
      backendUrl: B,
    });
  });

  test('is over if that is not in the list either', async () => {
    const { routing, store, pinned, move } = bench({ backends: LIST });
    const { record } = await pinned('http://c');
    move('http://d');
    expect(await routing.finder.pin(SESSION, record, asking('POST'))).toEqual({
      kind: 'refuse',
      reason: 'session_ended',
    });
    expect(store.recordOf('x')).toHaveProperty('ended');
  });

  test('A9: is not given up while the store cannot be asked', async () => {
    const { routing, store, pinned } = bench({ backends: LIST });
    const { record } = await pinned('http://c');
    store.fault = 'reject';
    const refused = { kind: 'refuse', reason: 'store_unavailable' };
    expect(await routing.finder.pin(SESSION, record, asking('POST'))).toEqual(refused);
    expect(await routing.finder.pin(SESSION, record, asking('DELETE'))).toEqual(refused);
  });
});

describe('D1: an opening request that could not be connected', () => {
  test('goes to each of the others once', async () => {
    const { routing } = bench({ backends: backendsOf([A, B, 'http://c']) });
    const route = opening();
    routing.destination(route, req);
    const next = (origin: string) => routing.connectFailed(route, origin, 'refused', req);
    expect(await next(A)).toEqual({ kind: 'backend', url: B });
    expect(route.backendUrl).toBe(B);
    expect(await next(B)).toEqual({ kind: 'backend', url: 'http://c' });
    expect(await next('http://c')).toEqual({ kind: 'refuse', reason: 'no_backend' });
  });
});

describe('a pinned request that could not be connected', () => {
  test.each([
    ['D2', 'refused', 'POST', { kind: 'refuse', reason: 'session_lost' }, true],
    ['D3', 'unreachable', 'POST', { kind: 'refuse', reason: 'backend_unreachable' }, false],
    ['C3', 'refused', 'DELETE', { kind: 'deleted' }, true],
    ['C3', 'unreachable', 'DELETE', { kind: 'deleted' }, true],
  ] as const)('%s: %s, %s', async (_id, failure, method, stop, ended) => {
    const { routing, store, pinned } = bench();
    const route = await pinned(A);
    expect(await routing.connectFailed(route, A, failure, asking(method))).toEqual(stop);
    expect('ended' in (store.recordOf('x') ?? {})).toBe(ended);
  });

  test('D3: is lost once its backend has been out for lostAfter, counted from the first failure', async () => {
    const { routing, clock, pinned } = bench();
    const route = await pinned(A);
    const fail = () => routing.connectFailed(route, A, 'unreachable', req);
    const unreachable = { kind: 'refuse', reason: 'backend_unreachable' };
    expect(await fail()).toEqual(unreachable);
    clock.time = 99;
    expect(await fail()).toEqual(unreachable);
    routing.reached(A);
    clock.time = 100;
    expect(await fail()).toEqual(unreachable);
    clock.time = 200;
    expect(await fail()).toEqual({ kind: 'refuse', reason: 'session_lost' });
  });

  test('D2: follows a session that another gateway has moved', async () => {
    const { routing, pinned, move } = bench();
    const route = await pinned(A);
    move(B);
    expect(await routing.connectFailed(route, A, 'refused', req)).toEqual({
      kind: 'backend',
      url: B,
    });
    expect(route).toMatchObject({ backendUrl: B, record: { [BACKEND_URL]: B } });
  });

  test.each([
    ['left where it is', A],
    ['moved to nowhere', undefined],
  ])(
    'D2: does not give up a session that another gateway has changed and %s',
    async (_what, to) => {
      const { routing, store, pinned, move } = bench();
      const route = await pinned(A);
      move(to);
      const refused = { kind: 'refuse', reason: 'backend_unreachable' };
      expect(await routing.connectFailed(route, A, 'refused', req)).toEqual(refused);
      expect(store.recordOf('x')).not.toHaveProperty('ended');
    },
  );
});

const PASS = { kind: 'pass' } as const;

describe('the answer of a backend', () => {
  test.each([
    ['C4', 404, '', PASS, true],
    ['C4', 404, '{"jsonrpc":"2.0","error":{"code":-32601}}', PASS, false],
    ['C5', 400, 'No valid session ID provided', { kind: 'refuse', reason: 'session_lost' }, true],
    ['C5', 400, 'Bad Request', PASS, false],
  ] as const)('%s: %d %s', async (_id, status, body, verdict, ended) => {
    const { routing, store, pinned } = bench();
    expect(
      await routing.inspect(await pinned(A), ASKED, { status: status, body: body }, req),
    ).toEqual(verdict);
    expect('ended' in (store.recordOf('x') ?? {})).toBe(ended);
  });

  test('C4: on another path ends nothing', async () => {
    const { routing, store, pinned } = bench();
    await routing.inspect(
      await pinned(A),
      { method: 'POST', path: '/other' },
      { status: 404, body: '' },
      req,
    );
    expect(store.recordOf('x')).not.toHaveProperty('ended');
  });

  test('C5: passes as it is if the session is elsewhere by now, or the store cannot be asked', async () => {
    const { routing, store, pinned, move } = bench();
    const route = await pinned(A);
    store.fault = 'reject';
    expect(
      await routing.inspect(route, ASKED, { status: 400, body: 'Server not initialized' }, req),
    ).toEqual(PASS);
    store.fault = undefined;
    move(B);
    expect(
      await routing.inspect(route, ASKED, { status: 400, body: 'Server not initialized' }, req),
    ).toEqual(PASS);
    expect(store.recordOf('x')).not.toHaveProperty('ended');
  });

  test.each([
    [undefined, [400]],
    [() => false, [400, 401, 500]],
  ])('C5: is looked at where it may tell of a lost session', async (lostSession, looked) => {
    const { routing, pinned } = bench({ lostSession });
    const route = await pinned(A);
    const plans = [200, 399, 400, 401, 500].filter((status) => {
      const head = {
        status,
        sessionId: undefined,
        eventStream: false,
        encoded: false,
        packed: false,
      };
      return routing.planAnswer(route, ASKED, head).kind === 'inspect';
    });
    expect(plans).toEqual(looked);
  });

  test('C1: to a DELETE ends the session, here also if the store cannot be told', async () => {
    const { routing, store, pinned } = bench();
    const route = await pinned(A);
    store.fault = 'reject';
    await routing.endings.deleted(route);
    store.fault = undefined;
    expect(await routing.directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('C1: to a DELETE ends the session wherever another gateway has moved it meanwhile', async () => {
    const { routing, pinned, move } = bench();
    const route = await pinned(A);
    move(B);
    await routing.endings.deleted(route);
    expect(await routing.directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test('B1: that opens a session is told once it is stored', async () => {
    const { opened, pinned, store, routing } = bench();
    await pinned(A);
    expect(opened).toEqual([[KEY, A]]);
    expect(store.recordOf('x')).toMatchObject({
      [BACKEND_URL]: A,
      opened_on: '/mcp',
      session: KEY,
    });
    const route: Route = {
      kind: 'open',
      opening: true,
      turn: 'opening',
      backendUrl: B,
      alternatives: [],
    };
    expect(await routing.recording.session(route, SESSION, '/mcp', { caller: undefined })).toBe(
      'conflict',
    );
    expect(opened).toHaveLength(1);
  });
});
