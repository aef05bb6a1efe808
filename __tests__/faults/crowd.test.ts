import { afterEach, expect, jest, test } from '@jest/globals';
import { killChildren } from '../helpers/e2e-children.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { ask, inLanes, toolCall } from '../helpers/fault-client.ts';
import { FAULTLESS, judgeServers } from '../helpers/fault-history.ts';
import { faultServers, type FaultServers } from '../helpers/fault-servers.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { heapOf } from '../helpers/heap-of.ts';
import {
  openSessions,
  openStream,
  type Addressed,
  type OpenStream,
} from '../helpers/mcp-client.ts';
import { rawConnection, rawRequest, type RawConnection } from '../helpers/raw-http.ts';
import { sessionLines } from '../helpers/raw-mcp.ts';
import { until } from '../helpers/until.ts';

jest.setTimeout(120_000);
afterEach(killChildren);

const STREAMS = 400;
const HALF_SENT = 300;
const POSTS = FULL ? 3000 : 300;
const ROUNDS = FULL ? 10 : 3;
/** What is promised; and for a machine that does other things, ten times that (ms). */
const P99 = FULL ? 500 : 5000;
const CLOSED_WITHIN = FULL ? 1000 : 10_000;
const MEMORY = 50 * 1024 * 1024;

test(`${STREAMS} open streams and ${HALF_SENT} half-sent requests hold up no POST, and leave nothing behind`, async () => {
  const servers = faultServers();
  const { url: backend } = await servers.start('a');
  const { url, child } = await startGateway({ BACKENDS: backend }, ['../faults/tell-memory.ts']);
  const at = { url: new URL(url).origin };
  const ids = await openSessions(at, 8);
  (await crowd(at, ids))();
  await until(() => streamsOpenAt(servers) === 0);
  const before = await heapOf(child);
  const times: number[] = [];
  const closings: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const leave = await crowd(at, ids);
    times.push(...(await postsMeanwhile(new Way(url), ids, POSTS / ROUNDS)));
    const left = performance.now();
    leave();
    await until(() => streamsOpenAt(servers) === 0);
    closings.push(performance.now() - left);
  }
  const grown = (await heapOf(child)) - before;

  const p99 = times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? NaN;
  const closed = Math.max(...closings);
  expect(p99).toBeLessThan(P99);
  expect(closed).toBeLessThan(CLOSED_WITHIN);
  expect(grown).toBeLessThan(MEMORY);
  expect(judgeServers(servers.history())).toEqual(FAULTLESS);
  show(
    `${ROUNDS} times ${STREAMS} streams and ${HALF_SENT} half-sent requests: ${times.length} POSTs meanwhile, p99 ` +
      `${p99.toFixed()} ms; all streams closed at the server ${closed.toFixed()} ms after their clients left; ` +
      `heap of the gateway ${(grown / 1024 / 1024).toFixed(1)} MB larger in the end`,
  );
});

/** Comes, and leaves without a word. */
async function crowd(at: Addressed, ids: readonly string[]): Promise<() => void> {
  const idOf = (turn: number): string => ids[turn % ids.length] ?? '';
  const streams: OpenStream[] = [];
  const halves: RawConnection[] = [];
  await inLanes(32, Array(STREAMS).keys(), async (turn) => {
    streams.push(await openStream(at, idOf(turn)));
  });
  await inLanes(32, Array(HALF_SENT).keys(), async (turn) => {
    const half = await rawConnection(at.url);
    half.write(rawRequest('POST /mcp', [...sessionLines(idOf(turn)), 'Content-Length: 100'], '{'));
    halves.push(half);
  });
  return () => {
    for (const stream of streams) stream.close();
    for (const half of halves) half.reset();
  };
}

async function postsMeanwhile(way: Way, ids: readonly string[], count: number): Promise<number[]> {
  const times: number[] = [];
  await inLanes(8, Array(count).keys(), async (turn) => {
    const call = toolCall(`${performance.now()} ${turn}`);
    const { status, sentAt, receivedAt } = await ask(way, ids[turn % ids.length], call);
    expect(status).toBe(200);
    times.push(receivedAt - sentAt);
  });
  return times;
}

function streamsOpenAt(servers: FaultServers): number {
  const history = servers.history();
  const count = (what: string): number => history.filter(({ did }) => did === what).length;
  return count('streamed') - count('left');
}
