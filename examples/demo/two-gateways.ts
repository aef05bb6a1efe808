/** What redis.ts and connect-redis.ts check: two gateways that share a store are as good as one. */
import { setTimeout as delay } from 'node:timers/promises';
import { check } from './check.ts';
import { openClient, post, type DemoClient } from './clients.ts';
import { callsPerSession } from './request-log.ts';
import type { DemoServers } from './servers.ts';

const CLIENTS = 6;
const CALLS = 5;

export async function checkTwoGateways(
  urls: [string, string],
  servers: DemoServers,
): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => openOnOneGoOnWithTheOther(urls, i)),
  );
  const counts = await Promise.all(clients.map(countFiveTimes));
  const sessions = clients.map((client) => client.session() ?? '');
  const opened = new Set(sessions).size;
  check(`${CLIENTS} clients open on one gateway and go on with the other`, CLIENTS, opened);
  const inOrder = counts.filter((seen) => seen.join() === '1,2,3,4,5');
  check('each session counts 1, 2, 3, 4, 5 on its server', CLIENTS, inOrder.length);

  const rows = callsPerSession(servers.log(), sessions);
  const own = rows.reduce((total, row) => total + row.own, 0);
  const total = CLIENTS * CALLS;
  check(`${own} of ${total} calls on their own backend, by the backends' logs`, total, own);
  const holders = new Set(rows.map((row) => row.owner));
  check('all three backends hold sessions', servers.origins.size, holders.size);

  await Promise.all(clients.map((client) => client.end()));
  for (const url of urls) {
    check(`an ended session is 404 on ${url}`, 404, await statusWithinOneSecond(url, sessions[0]));
    check(`an id that was never issued is 400 on ${url}`, 400, await post(url, 'nobody'));
  }
}

/** `initialize` goes to one gateway, the requests after it to the other and back in turns. */
function openOnOneGoOnWithTheOther(urls: [string, string], client: number): Promise<DemoClient> {
  let turn = client;
  return openClient(urls[0], (_url, init) => fetch(urls[turn++ % 2] ?? '', init));
}

async function countFiveTimes(client: DemoClient): Promise<number[]> {
  const seen: number[] = [];
  for (let call = 0; call < CALLS; call += 1) seen.push((await client.count()).count);
  return seen;
}

/** The end of a session reaches the other gateway a moment after its client knows of it. */
async function statusWithinOneSecond(url: string, session = ''): Promise<number> {
  const deadline = Date.now() + 1_000;
  let status = await post(url, session);
  while (status !== 404 && Date.now() < deadline) {
    await delay(20);
    status = await post(url, session);
  }
  return status;
}
