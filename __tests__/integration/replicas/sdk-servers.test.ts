import { describe, expect, jest, test } from '@jest/globals';
import { makeClient1, makeClient2, type SdkClient } from '../../helpers/e2e-sdks.ts';
import { ofSession, openStream } from '../../helpers/mcp-client.ts';
import { SDK_SERVERS } from '../../helpers/replica-sdks.ts';
import { redisStore, replicas, roundRobin } from '../../helpers/replica.ts';

jest.setTimeout(60_000);

const CALLS = 6;
const secret = 'a secret of the replicas, long enough';

async function callsOf(client: SdkClient): Promise<string[]> {
  await client.open();
  const answers: string[] = [];
  for (let call = 0; call < CALLS; call += 1) answers.push(await client.call('count', {}));
  return answers;
}

describe.each(Object.entries(SDK_SERVERS))('replicas with %s', (_name, server) => {
  test('behind a balancer that knows no sessions serve each session where it was opened', async () => {
    const store = await redisStore();
    const all = await replicas(3, { ...server, store, options: { secret } });
    const { url } = await roundRobin(all);
    const makers = [makeClient1(false), makeClient2('legacy')];
    const clients = Array.from({ length: 6 }, (_, index) =>
      (makers[index % 2] ?? makeClient1(false))(`${url}/mcp`, { name: `c${index}`, fetch }),
    );

    const counted = await Promise.all(clients.map(callsOf));

    const owners = counted.map(([first = '']) => first.split(' ')[0] ?? '');
    expect(new Set(owners)).toEqual(new Set(['r0', 'r1', 'r2']));
    expect(counted).toEqual(
      owners.map((owner) => Array.from({ length: CALLS }, (_, call) => `${owner} ${call + 1}`)),
    );

    // By DELETE to whichever comes next; then no replica knows it any more.
    const [client] = clients;
    const id = client?.session() ?? '';
    await client?.terminate();
    const statuses = await Promise.all(
      all.map(async (each) => {
        const headers = { ...ofSession(id), Accept: 'application/json, text/event-stream' };
        const answer = await fetch(`${each.url}/mcp`, { method: 'POST', headers, body: '{}' });
        return answer.status;
      }),
    );
    expect(statuses).toEqual([404, 404, 404]);
    await Promise.all(clients.map((each) => each.close()));
  });

  test('send an event stream through another replica', async () => {
    const store = await redisStore();
    const all = await replicas(2, { ...server, store, options: { secret } });
    const [owner, other] = all;
    const client = makeClient1(false)(`${owner?.url}/mcp`, {
      name: 'c',
      // The client's own stream would be the one that a session may have.
      fetch: (url, init) =>
        init?.method === 'GET'
          ? Promise.resolve(new Response(null, { status: 405 }))
          : fetch(url, init),
    });
    await client.open();
    const stream = await openStream({ url: other?.url ?? '' }, client.session());
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toContain('text/event-stream');
    await client.close();
    stream.close();
  });
});
