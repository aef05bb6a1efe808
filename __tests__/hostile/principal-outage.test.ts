import type { IncomingMessage } from 'node:http';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { echoCall, initialize, ofSession, post } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { rawConnection, rawRequest } from '../helpers/raw-http.ts';
import { sessionLines } from '../helpers/raw-mcp.ts';
import { scriptedBackend } from '../helpers/scripted-backend.ts';
import { scriptedStore, type ScriptedStore } from '../helpers/scripted-store.ts';

const ANN = { 'X-User': 'ann' };
const BOB = { 'X-User': 'bob' };

describe.each(stacks)('a store that costs a round trip ($name)', ({ app: express, proxy }) => {
  let store: ScriptedStore;
  let gw: Gateway;
  let live: string;
  let over: string;

  beforeEach(async () => {
    const backend = await scriptedBackend();
    store = scriptedStore();
    const principal = ({ headers }: IncomingMessage): string | undefined =>
      headers['x-user']?.toString();
    gw = await gateway({ express, proxy, store, options: { backends: backend.origin, principal } });
    const opened = async (): Promise<string> =>
      (await initialize(gw, ANN).expect(200)).get('Mcp-Session-Id') ?? '';
    [live, over] = [await opened(), await opened()];
    await gw.sessions.end(over);
    for (const id of [live, over]) await post(gw, echoCall('x'), { ...ofSession(id), ...ANN });
  });

  test('A11: while it is down one session of another principal is like any that was never issued', async () => {
    store.fault = 'reject';
    for (const id of [live, over, 'never-issued']) {
      const answer = await post(gw, echoCall('x'), { ...ofSession(id), ...BOB });
      expect([answer.status, answer.text]).toEqual([
        503,
        expect.stringContaining('store_unavailable'),
      ]);
    }
    // A9: its own principal goes on.
    const own = await post(gw, echoCall('x'), { ...ofSession(live), ...ANN });
    expect(own.status).toBe(200);
  });

  test.each(['PUT', 'DELETE'])('A11: its connection is treated alike: %s', async (method) => {
    const answers: string[] = [];
    for (const id of [live, over, 'never-issued']) {
      const lines = [...sessionLines(id), 'X-User: bob'];
      const client = await rawConnection(gw.url);
      client.write(rawRequest(`${method} /mcp`, lines, 'hello'));
      const text = await client.until('unknown_session');
      answers.push(text.replace(/^Date: .*\r\n/im, ''));
    }
    expect(new Set(answers).size).toBe(1);
  });
});
