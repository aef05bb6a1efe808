import { afterEach, expect, jest, test } from '@jest/globals';
import { killChildren } from '../helpers/e2e-children.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import { ask, inLanes, INITIALIZE, toolCall } from '../helpers/fault-client.ts';
import { FULL, show } from '../helpers/fault-size.ts';
import { Way } from '../helpers/fault-way.ts';
import { heapOf } from '../helpers/heap-of.ts';
import { openSession } from '../helpers/mcp-client.ts';
import { scriptedBackend } from '../helpers/scripted-backend.ts';

jest.setTimeout(300_000);
afterEach(killChildren);

const COUNT = FULL ? 20_000 : 4000;
const LANES = 32;
const MEGABYTE = 1024 * 1024;
/** What is promised for 20 000 of each; and for a machine that does other things, ten times the time (ms). */
const MEMORY = { openings: 80 * MEGABYTE, guesses: 60 * MEGABYTE } as const;
const P99 = FULL ? 500 : 5000;

test(`G3: ${COUNT} openings and ${COUNT} guesses take little memory, and hold up no honest call`, async () => {
  const backend = await scriptedBackend(({ body }, { hits }) => {
    // What was counted is not kept.
    if (hits.length > 1000) hits.length = 0;
    return body.length === 0 ? undefined : false;
  });
  const { url, child } = await startGateway({ BACKENDS: backend.origin, PROXY: 'forward' }, [
    '../faults/tell-memory.ts',
  ]);
  const honest = await openSession({ url: new URL(url).origin });
  const flood = async (message: object, session?: () => string): Promise<number[]> => {
    const statuses: unknown[] = [];
    const times: number[] = [];
    const way = new Way(url);
    const calls = inLanes(1, Array(COUNT / 40).keys(), async (turn) => {
      const { status, sentAt, receivedAt } = await ask(way, honest, toolCall(`${turn}`));
      expect(status).toBe(200);
      times.push(receivedAt - sentAt);
    });
    await inLanes(LANES, Array(COUNT).keys(), async () => {
      statuses.push((await ask(way, session?.(), message)).status);
    });
    await calls;
    expect(new Set(statuses)).toEqual(new Set([session ? 400 : 200]));
    return times;
  };

  await ask(new Way(url), honest, toolCall('before'));
  const start = await heapOf(child);
  const guessing = await flood(toolCall('guess'), () => `guess-${Math.random()}`);
  const guessed = await heapOf(child);
  const opening = await flood(INITIALIZE);
  const opened = await heapOf(child);

  const figures = {
    guesses: { grown: guessed - start, p99: p99Of(guessing) },
    openings: { grown: opened - guessed, p99: p99Of(opening) },
  };
  for (const [what, { grown, p99 }] of Object.entries(figures)) {
    show(
      `${COUNT} ${what}: heap of the gateway ${(grown / MEGABYTE).toFixed(1)} MB larger, ` +
        `p99 of honest calls beside them ${p99.toFixed()} ms`,
    );
    expect(grown).toBeLessThan(what === 'guesses' ? MEMORY.guesses : MEMORY.openings);
    expect(p99).toBeLessThan(P99);
  }
});

function p99Of(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? NaN;
}
