import { describe, expect, test } from '@jest/globals';
import type { DecidedRequest } from '../../../src/http/request-watch.ts';
import type { McpSessionRoutingOptions } from '../../../src/index.ts';
import { gateway, type Gateway, type GatewayOptions } from '../../helpers/gateway.ts';
import {
  call,
  echoCall,
  ofSession,
  openSession,
  openStream,
  post,
  terminate,
} from '../../helpers/mcp-client.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { keyOf, scriptedStore } from '../../helpers/scripted-store.ts';
import { idIn, sseBackend } from '../../helpers/sse-backend.ts';
import { until } from '../../helpers/until.ts';

interface Scene {
  readonly gw: Gateway;
  /** The backend of the session. */
  readonly owner: ScriptedBackend;
  readonly id: string;
  /** Takes its backend off the list. */
  readonly takeOut: () => Promise<void>;
  /** Another gateway on the same store. */
  readonly another: () => Promise<Gateway>;
}

/** A gateway, and a session of one of its two backends. */
async function sceneOf(
  options: (list: () => string[]) => McpSessionRoutingOptions = () => ({}),
  more: GatewayOptions = {},
): Promise<Scene> {
  const backends = await scriptedBackends(2);
  const store = scriptedStore();
  const origins = backends.map(({ origin }) => origin);
  const made = (): Promise<Gateway> =>
    gateway({ ...more, store, options: { backends: origins, ...options(() => [...listed]) } });
  let listed = origins;
  const gw = await made();
  await gw.sessions.ready();
  const id = await openSession(gw);
  const [owner, other] = backends.toSorted((a, b) => b.sessions.size - a.sessions.size);
  if (!owner || !other) throw new Error('there are two');
  const takeOut = async (): Promise<void> => {
    listed = [other.origin];
    await until(() => gw.sessions.backends.list().length === 1);
  };
  return { gw, owner, id, takeOut, another: made };
}

/** The counters that are not 0. */
function counted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

describe('stats() says why a session has ended:', () => {
  test.each<[string, string, (scene: Scene) => Promise<unknown>]>([
    ['its client has deleted it', 'deleted', ({ gw, id }) => terminate(gw, id).expect(200)],
    [
      'its client has deleted it, and its backend is gone',
      'deleted',
      async ({ gw, id, owner }) => {
        await owner.refuse();
        await terminate(gw, id).expect(204);
      },
    ],
    ['the app has ended it', 'called', ({ gw, id }) => gw.sessions.end(id)],
    [
      'its backend refuses connections',
      'lost',
      async ({ gw, id, owner }) => {
        await owner.refuse();
        await call(gw, id).expect(404);
      },
    ],
    [
      'its backend has forgotten it',
      'forgotten',
      async ({ gw, id, owner }) => {
        owner.sessions.clear();
        await call(gw, id).expect(404);
      },
    ],
    [
      'another gateway has ended it',
      'elsewhere',
      async ({ gw, id, another }) => {
        await (await another()).sessions.end(id);
        await call(gw, id).expect(404);
      },
    ],
  ])('%s', async (_what, reason, end) => {
    const scene = await sceneOf();
    await call(scene.gw, scene.id).expect(200);
    await end(scene);
    const { ended, endedBy } = scene.gw.sessions.stats();
    expect([ended, counted(endedBy)]).toEqual([1, { [reason]: 1 }]);
  });

  test('its stream is over', async () => {
    const backend = await sseBackend('TypeScript');
    const options = { backends: backend.origin, sse: true };
    const gw = await gateway({ store: scriptedStore(), options });
    const stream = await openStream(gw, undefined, '/sse');
    await until(() => stream.text.includes('data: '));
    stream.close();
    await until(() => gw.sessions.stats().ended > 0);
    expect(counted(gw.sessions.stats().endedBy)).toEqual({ closed: 1 });
  });
});

describe('stats() counts', () => {
  test('a session whose backend is not in the list any more as recovered, and its request once', async () => {
    const { gw, id, takeOut } = await sceneOf((list) => ({
      backends: { list, refresh: 5 },
      recover: true,
    }));
    await takeOut();
    await call(gw, id).expect(200);
    const { decisions, lost, recovered } = gw.sessions.stats();
    expect([counted(decisions), lost, recovered]).toEqual([{ new: 1, recovered: 1 }, 1, 1]);
  });

  test('the DELETE of a session whose backend is not in the list any more as pinned', async () => {
    const { gw, id, takeOut } = await sceneOf((list) => ({ backends: { list, refresh: 5 } }));
    await takeOut();
    await terminate(gw, id).expect(204);
    expect(counted(gw.sessions.stats().decisions)).toEqual({ new: 1, pinned: 1 });
  });

  test.each(['forward', 4] as const)(
    'a refusal once, though the handler lets the app go on to a proxy (%s)',
    async (proxy) => {
      const told: string[] = [];
      const { gw } = await sceneOf(
        () => ({
          handler: (_req, _res, next) => next(),
          on: { refused: ({ reason }) => void told.push(reason) },
        }),
        { proxy },
      );
      await call(gw, 'guessed').expect(400);
      expect(gw.sessions.stats().refused).toEqual({ unknown_session: 1 });
      expect(told).toEqual(['unknown_session']);
    },
  );

  test('requests to the target of the proxy', async () => {
    const [backend] = await scriptedBackends(1);
    const proxyOptions = { router: undefined, target: backend?.origin };
    const gw = await gateway({ store: scriptedStore(), proxyOptions });
    await call(gw, await openSession(gw)).expect(200);
    expect(counted(gw.sessions.stats().decisions)).toEqual({ new: 1, pinned: 1 });
  });

  test('requests that a router of the app has sent somewhere', async () => {
    const [backend] = await scriptedBackends(1);
    const proxyOptions = { router: () => backend?.origin };
    const gw = await gateway({ store: scriptedStore(), proxyOptions });
    await call(gw, await openSession(gw)).expect(200);
    expect(counted(gw.sessions.stats().decisions)).toEqual({ new: 1, pinned: 1 });
  });

  test('requests by sessionRouter alone, and without a proxy', async () => {
    const { gw, id } = await sceneOf(undefined, {
      proxyOptions: { plugins: undefined },
      between: (app) => app.post('/own', (_req, res) => void res.end('own')),
    });
    await post(gw, echoCall('x'), ofSession(id), '/own').expect(200);
    await post(gw, echoCall('x'), {}, '/own').expect(200);
    expect(counted(gw.sessions.stats().decisions)).toEqual({ new: 1, pinned: 1 });
  });

  test('what the cache and the store were asked', async () => {
    const { gw, id } = await sceneOf();
    await call(gw, id).expect(200);
    await call(gw, id).expect(200);
    await call(gw, 'guessed').expect(400);
    const { cacheHits, cacheMisses, store: asked } = gw.sessions.stats();
    expect([cacheHits, cacheMisses]).toEqual([2, 1]);
    expect([asked.create.count, asked.read.count]).toEqual([1, 1]);
    expect(asked.create.seconds).toBeGreaterThan(0);
  });

  test('what a memory store was asked too, though it takes no time', async () => {
    const [backend] = await scriptedBackends(1);
    const gw = await gateway({ options: { backends: backend?.origin ?? '' } });
    await call(gw, await openSession(gw)).expect(200);
    const { store, cacheHits, cacheMisses } = gw.sessions.stats();
    expect(store.read).toMatchObject({ count: 1, failures: 0, seconds: 0 });
    expect(store.create.count).toBe(1);
    expect([cacheHits, cacheMisses]).toEqual([0, 0]);
  });

  test('what it does not tell: a session id', async () => {
    const { gw, id } = await sceneOf();
    await call(gw, id).expect(200);
    const text = JSON.stringify(gw.sessions.stats());
    expect([id, keyOf(id).slice(0, 12)].filter((name) => text.includes(name))).toEqual([]);
  });
});

test('a session of HTTP+SSE, and its messages, are told by the same name', async () => {
  const backend = await sseBackend('TypeScript');
  const decided: DecidedRequest[] = [];
  const telemetry = {
    observe: () => ({ decided: (each: DecidedRequest) => void decided.push(each) }),
  };
  const options = { backends: backend.origin, sse: true, telemetry };
  const gw = await gateway({ store: scriptedStore(), options });
  const stream = await openStream(gw, undefined, '/sse');
  await until(() => stream.text.includes('data: '));
  const path = /data: (\S+)/.exec(stream.text)?.[1] ?? '';
  await post(gw, echoCall('x'), {}, path).expect(202);
  stream.close();
  await until(() => decided.length === 2);
  const session = keyOf(`sse ${idIn(path)}`).slice(0, 12);
  expect(decided).toMatchObject([
    { kind: 'pinned', method: 'POST', session },
    { kind: 'new', method: 'GET', session },
  ]);
});
