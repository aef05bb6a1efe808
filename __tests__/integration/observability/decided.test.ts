import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import type { DecidedRequest } from '../../../src/http/request-watch.ts';
import type { Telemetry } from '../../../src/index.ts';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import {
  call,
  initialize,
  INITIALIZE,
  openSession,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { stacks, type Stack } from '../../helpers/pairings.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { keyOf, scriptedStore, type ScriptedStore } from '../../helpers/scripted-store.ts';
import { until } from '../../helpers/until.ts';
import { warnings } from '../../helpers/warnings.ts';

interface Scene {
  readonly gw: Gateway;
  readonly backend: ScriptedBackend;
  readonly store: ScriptedStore;
  /** What was told, in order. */
  readonly decided: DecidedRequest[];
  /** What was told of the request that came last, as soon as there are so many. */
  readonly last: (count: number) => Promise<DecidedRequest | undefined>;
}

async function sceneOf({ app, proxy }: Pick<Stack, 'app' | 'proxy'>): Promise<Scene> {
  const decided: DecidedRequest[] = [];
  const telemetry: Telemetry = {
    observe: () => ({ decided: (each) => void decided.push(each) }),
  };
  const backend = await scriptedBackend();
  const store = scriptedStore();
  const options = { backends: backend.origin, telemetry };
  const gw = await gateway({
    ...{ express: app, proxy, store, options },
    between: (own) => own.get('/own', (_req, res) => void res.end('own')),
  });
  const last: Scene['last'] = async (count) => {
    await until(() => decided.length >= count);
    expect(decided).toHaveLength(count);
    return decided.at(-1);
  };
  return { gw, backend, store, decided, last };
}

const short = (id: string): string => keyOf(id).slice(0, 12);

describe.each(stacks)('of each request is told, once it is over ($name),', (stack) => {
  test('which session it has opened, and where', async () => {
    const { gw, backend, last } = await sceneOf(stack);
    const before = Date.now();
    const id = await openSession(gw);
    const told = await last(1);
    expect(told).toEqual({
      at: expect.any(Number),
      ...{ kind: 'new', session: short(id), backend: backend.origin, method: 'POST' },
      ...{ status: 200, duration: expect.any(Number), reason: undefined },
    });
    expect(told?.at).toBeGreaterThanOrEqual(before);
    expect(told?.duration).toBeGreaterThan(0);
  });

  test('that it was pinned, and how it was answered', async () => {
    const { gw, backend, last } = await sceneOf(stack);
    const id = await openSession(gw);
    backend.answer = ({ res }) => res.writeHead(429).end();
    await call(gw, id).expect(429);
    const pinned = { kind: 'pinned', session: short(id), backend: backend.origin };
    expect(await last(2)).toMatchObject({ ...pinned, method: 'POST', status: 429 });
    backend.answer = undefined;
    await terminate(gw, id).expect(200);
    expect(await last(3)).toMatchObject({ ...pinned, method: 'DELETE', status: 200 });
  });

  test('why it was refused', async () => {
    const { gw, backend, store, last } = await sceneOf(stack);
    await call(gw, 'guessed').expect(400);
    const unknown = { kind: 'refused', reason: 'unknown_session', backend: undefined };
    expect(await last(1)).toMatchObject({ ...unknown, status: 400, session: short('guessed') });
    const id = await openSession(gw);
    store.fault = 'reject';
    await initialize(gw).expect(503);
    expect(await last(3)).toMatchObject({
      ...{ kind: 'refused', reason: 'store_unavailable', session: undefined, status: 503 },
      backend: backend.origin,
    });
    store.fault = undefined;
    await backend.refuse();
    await call(gw, id).expect(404);
    const lost = { kind: 'refused', reason: 'session_lost', session: short(id), status: 404 };
    expect(await last(4)).toMatchObject({ ...lost, backend: backend.origin });
  });

  test('that it belongs to no session', async () => {
    const { gw, last } = await sceneOf(stack);
    await post(gw, TOOLS_LIST, { 'MCP-Protocol-Version': '2026-07-28' }).expect(200);
    expect(await last(1)).toMatchObject({ kind: 'modern', session: undefined, status: 200 });
    await request(gw.url).get('/.well-known/x').expect(200);
    expect(await last(2)).toMatchObject({ kind: 'other', method: 'GET' });
  });

  test('that its stream is over, and not before', async () => {
    const { gw, decided, last } = await sceneOf(stack);
    const id = await openSession(gw);
    const stream = await openStream(gw, id);
    await call(gw, id).expect(200);
    await last(2);
    expect(decided.map(({ method }) => method)).toEqual(['POST', 'POST']);
    stream.close();
    expect(await last(3)).toMatchObject({ kind: 'pinned', method: 'GET', status: 200 });
  });

  test('that its client has left before the answer', async () => {
    const { gw, backend, last } = await sceneOf(stack);
    backend.answer = () => undefined;
    const abandoned = post(gw, INITIALIZE);
    abandoned.end(() => {});
    await backend.hit(0);
    abandoned.abort();
    expect(await last(1)).toMatchObject({ kind: 'new', status: undefined });
  });

  test('A14: nothing of those that no proxy was asked for', async () => {
    const { gw, decided } = await sceneOf(stack);
    await request(gw.url).get('/own').expect(200, 'own');
    await openSession(gw);
    await until(() => decided.length > 0);
    expect(decided.map(({ kind }) => kind)).toEqual(['new']);
    expect(gw.sessions.stats().decisions).toMatchObject({ new: 1, other: 0 });
  });
});

test('what an observer throws is a warning, and changes no answer', async () => {
  const fail = (): never => {
    throw new Error('mistake of the observer');
  };
  const warned: unknown[] = warnings();
  const observer = { opened: fail, decided: fail, requested: fail, stored: fail, ended: fail };
  const backend = await scriptedBackend();
  const options = { backends: backend.origin, telemetry: { observe: () => observer } };
  const gw = await gateway({ store: scriptedStore(), options });
  const id = await openSession(gw);
  await call(gw, id).expect(200);
  await terminate(gw, id).expect(200);
  await until(() => warned.length > 8);
  expect(new Set(warned)).toEqual(new Set(['Error: mistake of the observer']));
});
