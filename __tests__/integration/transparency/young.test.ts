import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import { gateway } from '../../helpers/gateway.ts';
import { call, openSession, openStream, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';

/** Of Express and of Node, which all have. */
const OF_OTHERS = new Set(['next', '_onPendingData']);

interface Exchanged {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What the server of this port has been asked. */
function exchangesAt(port: number): Exchanged[] {
  const seen: Exchanged[] = [];
  const onRequest = (message: unknown): void => {
    const { request, response } = message as Exchanged;
    if (request.socket.localPort === port) seen.push({ request, response });
  };
  diagnostics.subscribe('http.server.request.start', onRequest);
  onCleanup(() => diagnostics.unsubscribe('http.server.request.start', onRequest));
  return seen;
}

/** Members of two objects that are functions, and not the same one. */
function ownFunctions(one: object, other: object): (string | symbol)[] {
  return Reflect.ownKeys(one).filter((key) => {
    const value: unknown = Reflect.get(one, key);
    const isOwn = typeof value === 'function' && value !== Reflect.get(other, key);
    return isOwn && !OF_OTHERS.has(String(key)) && Reflect.has(other, key);
  });
}

// Node keeps an object that has one until it collects old memory too: see src/http/gated-response.ts.
describe.each(stacks)('$name', ({ app: express, proxy }) => {
  test('no request after an opening, and no answer to it, is given a function of its own', async () => {
    const backend = await scriptedBackend();
    const gw = await gateway({
      express,
      proxy,
      options: { backends: backend.origin },
    });
    const ids = [await openSession(gw), await openSession(gw)];
    const seen = exchangesAt(Number(new URL(gw.url).port));
    for (const id of ids) {
      await call(gw, id);
      await post(gw, TOOLS_LIST, {
        'MCP-Protocol-Version': '2026-07-28',
        'Mcp-Method': 'tools/list',
      });
      (await openStream(gw, id)).close();
    }
    const half = seen.length / 2;
    const pairs = seen.slice(0, half).map((each, at) => [each, seen[half + at] ?? each] as const);
    expect(pairs.length).toBe(3);
    const found = pairs.flatMap(([a, b]) => [
      ...ownFunctions(a.request, b.request),
      ...ownFunctions(a.response, b.response),
    ]);
    expect(found).toEqual([]);
  });
});
