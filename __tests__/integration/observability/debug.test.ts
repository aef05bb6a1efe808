import { describe, expect, test } from '@jest/globals';
import request, { type Test } from 'supertest';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import {
  call,
  echoCall,
  initialize,
  ofSession,
  openSession,
  openStream,
  post,
  terminate,
  TOOLS_LIST,
} from '../../helpers/mcp-client.ts';
import { stacks, type Stack } from '../../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';

interface Scene {
  readonly gw: Gateway;
  readonly backends: readonly ScriptedBackend[];
}

/** A gateway whose backends say themselves how a request was routed. */
async function sceneOf(
  { app, proxy }: Pick<Stack, 'app' | 'proxy'>,
  { debug = true, plugin = true } = {},
): Promise<Scene> {
  const backends = await scriptedBackends(2);
  for (const backend of backends) {
    backend.answer = ({ res }) => {
      res.setHeader('x-mcp-route', ['forged', 'twice']);
      return false;
    };
  }
  const gw = await gateway({
    ...{ express: app, proxy, store: scriptedStore() },
    options: {
      ...{ backends: backends.map(({ origin }) => origin), debug },
      recover: (_session, req) => req.headers['x-recover'] === 'yes',
    },
    ...(plugin ? {} : { proxyOptions: { plugins: undefined } }),
    between: (own) => own.get('/own', (_req, res) => void res.end('own')),
  });
  return { gw, backends };
}

/** What the answer says of its route. */
async function routeOf(answer: Test): Promise<unknown> {
  const { headers } = await answer.expect(200);
  return headers['x-mcp-route'];
}

function ownerOf({ backends }: Scene, id: string): ScriptedBackend | undefined {
  return backends.find(({ sessions }) => sessions.has(id));
}

const MODERN = { 'MCP-Protocol-Version': '2026-07-28' } as const;

describe.each(stacks)('with debug answers say how they were routed ($name):', (stack) => {
  test('new, pinned, modern and other, whatever the backend says', async () => {
    const { gw } = await sceneOf(stack);
    expect(await routeOf(initialize(gw))).toBe('new');
    const id = await openSession(gw);
    expect(await routeOf(call(gw, id))).toBe('pinned');
    expect(await routeOf(post(gw, TOOLS_LIST, MODERN))).toBe('modern');
    expect(await routeOf(request(gw.url).get('/.well-known/x'))).toBe('other');
    const { headers } = await openStream(gw, id);
    expect(headers['x-mcp-route']).toBe('pinned');
    expect(await routeOf(terminate(gw, id))).toBe('pinned');
  });

  test('once', async () => {
    const { gw } = await sceneOf(stack);
    const id = await openSession(gw);
    const lines = ['Connection: close', 'Content-Type: application/json', ...sessionLines(id)];
    const text = await rawHttp(gw.url, rawRequest('POST /mcp', lines, echoCall('x')));
    expect(text.match(/^x-mcp-route: .*$/gim)).toEqual(['X-MCP-Route: pinned']);
  });

  test('recovered, where the session goes on elsewhere', async () => {
    const scene = await sceneOf(stack);
    const id = await openSession(scene.gw);
    await ownerOf(scene, id)?.refuse();
    const recovering = { ...ofSession(id), 'X-Recover': 'yes' };
    expect(await routeOf(post(scene.gw, echoCall('x'), recovering))).toBe('recovered');
    expect(await routeOf(call(scene.gw, id))).toBe('pinned');
  });

  test('recovered, where the backend has forgotten it', async () => {
    const scene = await sceneOf(stack);
    const id = await openSession(scene.gw);
    ownerOf(scene, id)?.sessions.delete(id);
    const recovering = { ...ofSession(id), 'X-Recover': 'yes' };
    expect(await routeOf(post(scene.gw, echoCall('x'), recovering))).toBe('recovered');
    expect(scene.gw.sessions.stats().decisions).toMatchObject({ pinned: 1, recovered: 1 });
  });

  test('what it was before it failed, on an answer of the package itself', async () => {
    const scene = await sceneOf(stack);
    const id = await openSession(scene.gw);
    await ownerOf(scene, id)?.refuse();
    const answer = await call(scene.gw, id);
    expectRefusal(answer, 'session_lost', answer.text.includes('"id"') ? { id: '2' } : {});
    expect(answer.headers['x-mcp-route']).toBe('pinned');
  });

  test('nothing, where nothing was routed', async () => {
    const { gw } = await sceneOf(stack);
    const refused = await call(gw, 'guessed').expect(400);
    const own = await request(gw.url).get('/own').expect(200, 'own');
    expect([refused.headers, own.headers].filter((each) => 'x-mcp-route' in each)).toEqual([]);
  });

  test('without debug nothing is added, and nothing taken away', async () => {
    const { gw } = await sceneOf(stack, { debug: false });
    const id = await openSession(gw);
    expect(await routeOf(call(gw, id))).toBe('forged, twice');
  });
});

const proxies = stacks.filter(({ proxy }) => proxy !== 'forward');

test.each(proxies)('with debug and sessionRouter alone too ($name)', async (stack) => {
  const { gw } = await sceneOf(stack, { plugin: false });
  const id = await openSession(gw);
  expect(await routeOf(call(gw, id))).toBe('pinned');
});
