import { expect, test } from '@jest/globals';
import type { RedisClient } from '../../../src/store/redis-client.ts';
import { RedisReads } from '../../../src/store/redis-reads.ts';

type Exec = () => Promise<[Error | null, unknown][] | null>;

/** A client that notes what goes to Redis together, and answers each command with its own words. */
function noting(
  together: unknown[][],
  { isCluster = false, exec }: { isCluster?: boolean; exec?: Exec } = {},
): RedisClient {
  const client = {
    isCluster,
    call: async () => 'OK',
    pipeline(commands: unknown[][]) {
      together.push(commands.map((command) => command.join(' ')));
      return {
        exec:
          exec ??
          (async (): Promise<[null, unknown][]> =>
            commands.map((command) => [null, command.join(' ')])),
      };
    },
    duplicate: () => client as never,
  };
  return client;
}

const repliesTo = (key: string): unknown => [
  [null, `get ${key}`],
  [null, `pttl ${key}`],
];

test('what is asked in one turn of the event loop goes to Redis together, and each gets its own replies', async () => {
  const together: unknown[][] = [];
  const reads = new RedisReads(noting(together));
  const asked = ['a', 'b', 'a'].map((key) => reads.read(key));
  expect(together).toEqual([]);
  expect(await Promise.all(asked)).toEqual(['a', 'b', 'a'].map(repliesTo));
  expect(await reads.read('c')).toEqual(repliesTo('c'));
  const a = ['get a', 'pttl a'];
  expect(together).toEqual([
    [...a, 'get b', 'pttl b', ...a],
    ['get c', 'pttl c'],
  ]);
});

test('of a cluster each key is asked for on its own: their nodes are others', async () => {
  const together: unknown[][] = [];
  const reads = new RedisReads(noting(together, { isCluster: true }));
  expect(await Promise.all([reads.read('a'), reads.read('b')])).toEqual(['a', 'b'].map(repliesTo));
  expect(together).toHaveLength(2);
});

test.each<[string, Exec]>([
  ['rejects', () => Promise.reject(new Error('gone'))],
  [
    'throws',
    () => {
      throw new Error('gone');
    },
  ],
])('a client that %s fails all who have asked, and nobody after them', async (_what, exec) => {
  const client = noting([], { exec });
  const reads = new RedisReads(client);
  const outcomes = await Promise.allSettled([reads.read('a'), reads.read('b')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  Object.assign(client, noting([]));
  expect(await reads.read('c')).toEqual(repliesTo('c'));
});

test('replies that are missing are nobody else’s', async () => {
  const reads = new RedisReads(noting([], { exec: async () => [[null, 'get a']] }));
  expect(await Promise.all([reads.read('a'), reads.read('b')])).toEqual([
    [[null, 'get a'], undefined],
    [undefined, undefined],
  ]);
});
