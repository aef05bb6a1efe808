import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startRoundRobin } from '../../../examples/demo/round-robin.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { createClient } from '../../helpers/e2e-clients.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import {
  closeAll,
  createFleet,
  drive,
  note,
  openAll,
  show,
  SIZE,
  TOTAL,
} from '../../helpers/e2e-runs.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends('SDK v1');
});

jest.setTimeout(120_000);
afterAll(killChildren);

describe(`${SIZE.clients} clients, ${SIZE.calls} calls each, three servers`, () => {
  it('through the gateway: each call at the server of its session', async () => {
    const { url } = await startGateway({ BACKENDS: backends.list });
    const began = performance.now();
    const fleet = createFleet(SIZE.clients, url);
    const sessions = await openAll(fleet);
    const { answered, complaints } = await drive(fleet, SIZE.calls);
    const took = performance.now() - began;
    await closeAll(fleet);

    const { owners, ownCalls, astray, repeated } = judge(backends.history());
    expect(complaints).toEqual([]);
    expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
    expect([answered, ownCalls(sessions)]).toEqual([TOTAL, TOTAL]);
    expect(new Set(sessions.map((session) => owners.get(session)))).toEqual(new Set('abc'));
    show(
      `one gateway: ${ownCalls(sessions)} of ${TOTAL} on their own backend, ${took.toFixed()} ms`,
    );
  });
});

describe('the checkers can fail', () => {
  it('a plain round-robin proxy sends sessions astray, and its clients fail', async () => {
    const before = judge(backends.history()).astray.length;
    const proxy = await startRoundRobin([...backends.origins.values()], '/mcp');
    const fleet = createFleet(SIZE.clients, proxy.url);
    const opened = await Promise.allSettled(fleet.map((client) => client.open()));
    const { answered } = await drive(fleet, SIZE.calls);
    const sessions = fleet.map((client) => client.session() ?? '');
    await closeAll(fleet);
    proxy.stop();

    const { astray, ownCalls } = judge(backends.history());
    expect(astray.length).toBeGreaterThan(before);
    expect(answered).toBeLessThan(TOTAL);
    const failed = opened.filter(({ status }) => status === 'rejected').length;
    show(
      `control, round robin: ${failed} of ${SIZE.clients} clients could not open, ` +
        `${ownCalls(sessions)} of ${TOTAL} calls on their own backend, ${answered} answered`,
    );
  });

  it('a proxy that sends a request again lets it be executed twice', async () => {
    const proxy = createServer((req, res) => {
      void text(req).then(async (body) => {
        const headers = Object.entries(req.headers).filter(([name]) =>
          /^(?:accept|content-type|mcp-.*)$/.test(name),
        );
        const send = () =>
          fetch(`${backends.origins.get('a')}/mcp`, {
            method: 'POST',
            headers: Object.fromEntries(headers) as Record<string, string>,
            body,
          });
        await (await send()).body?.cancel();
        const answer = await send();
        res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const client = createClient(
      'SDK v1',
      `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/mcp`,
    );
    await client.open();
    await note(client);
    await client.close();
    proxy.close();
    proxy.closeAllConnections();
    expect(judge(backends.history()).repeated).toHaveLength(2);
  });
});
