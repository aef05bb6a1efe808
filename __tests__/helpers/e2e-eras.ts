import { randomUUID } from 'node:crypto';
import type { HistoryEntry } from '../fixtures/e2e/history.ts';
import type { RealClient } from './e2e-clients.ts';

export const MODERN = '2026-07-28';

/** One call of each sort, and what is wrong with its outcome. */
const CALLS: readonly ((client: RealClient) => Promise<string | undefined>)[] = [
  async (client) => {
    const { instance } = JSON.parse(await client.call('note', { nonce: randomUUID() })) as {
      instance?: string;
    };
    return instance === undefined ? 'was answered by nobody' : undefined;
  },
  async (client) => {
    const seen: number[] = [];
    await client.call('progress', { nonce: randomUUID() }, (progress) => seen.push(progress));
    return seen.join() === '1,2,3' ? undefined : `has seen the progress ${seen.join()}`;
  },
  (client) => asked(client, 'sample', `sampled by ${client.name}`),
  (client) => asked(client, 'elicit', `filled in by ${client.name}`),
];

async function asked(
  client: RealClient,
  tool: string,
  answer: string,
): Promise<string | undefined> {
  const text = await client.call(tool, { nonce: randomUUID() });
  // Others have names that begin with this one's.
  return text.includes(`${answer}"`) ? undefined : `was answered ${text}`;
}

/** Notes, progress, sampling and elicitation in turns; what went wrong, in words. */
export async function exercise(client: RealClient, calls: number): Promise<string[]> {
  const complaints: string[] = [];
  for (let call = 0; call < calls; call += 1) {
    const complaint = await CALLS[call % CALLS.length]?.(client).catch(String);
    if (complaint !== undefined) complaints.push(`${client.name}, call ${call}: ${complaint}`);
  }
  return complaints;
}

/** Requests of clients of 2026-07-28 that have reached each backend; tasks left out. */
export function modernRequests(history: readonly HistoryEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of history) {
    if (entry.kind !== 'arrived' || entry.version !== MODERN || entry.session) continue;
    counts.set(entry.instance, (counts.get(entry.instance) ?? 0) + 1);
  }
  return counts;
}

/** How far the fullest, or the emptiest, of three backends is from its share: 0.1 is 10 %. */
export function unevenness(counts: ReadonlyMap<string, number>): number {
  const all = ['a', 'b', 'c'].map((name) => counts.get(name) ?? 0);
  const share = all.reduce((sum, count) => sum + count, 0) / all.length;
  return Math.max(...all.map((count) => Math.abs(count - share))) / share;
}
