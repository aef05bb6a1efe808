import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { recommendedRedisOptions, RedisStore } from '../../../src/index.ts';
import type { RedisClient } from '../../../src/store/redis-client.ts';
import { hearEndings, type RedisSubscriber } from '../../../src/store/redis-subscription.ts';
import { KEY, recordOf, settled } from './clocked-store.ts';

type Reply = [Error | null, unknown];

const JSON_RECORD = JSON.stringify(recordOf());

class Subscriber extends EventEmitter implements RedisSubscriber {
  status = 'ready';
  readonly calls: string[] = [];
  subscribed: () => Promise<unknown> = async () => 1;
  async connect(): Promise<void> {
    this.calls.push('connect');
  }
  subscribe(channel: string): Promise<unknown> {
    this.calls.push(`subscribe ${channel}`);
    return this.subscribed();
  }
  disconnect(reconnect = false): void {
    this.calls.push(reconnect ? 'reconnect' : 'disconnect');
  }
}

/** A RedisStore whose client answers GET and PTTL with these replies, and all else with `answer`. */
function storeAnswered(
  replies: Reply[] | null,
  {
    commands = [],
    answer = 'OK',
    subscriber = new Subscriber(),
  }: { commands?: unknown[][]; answer?: unknown; subscriber?: Subscriber } = {},
): RedisStore {
  const client: RedisClient & RedisSubscriber = Object.assign(subscriber, {
    async call(...command: unknown[]) {
      commands.push(command);
      return answer;
    },
    pipeline(several: unknown[][]) {
      commands.push(...several);
      return { exec: async () => replies };
    },
    duplicate: () => client,
    defineCommand: () => undefined,
  });
  return new RedisStore({ client });
}

describe('the replies of Redis', () => {
  test.each<[string, Reply[], unknown]>([
    [
      'no key',
      [
        [null, null],
        [null, -2],
      ],
      undefined,
    ],
    [
      'a key that expired between the two',
      [
        [null, JSON_RECORD],
        [null, -2],
      ],
      undefined,
    ],
    [
      'a record and its time',
      [
        [null, JSON_RECORD],
        [null, 5],
      ],
      { record: recordOf(), expiresIn: 5 },
    ],
    [
      'the time as a string',
      [
        [null, JSON_RECORD],
        [null, '5'],
      ],
      { record: recordOf(), expiresIn: 5 },
    ],
    [
      'no time',
      [
        [null, JSON_RECORD],
        [null, -1],
      ],
      { record: recordOf(), expiresIn: Infinity },
    ],
  ])('mean what they say: %s', async (_what, replies, found) => {
    expect(await storeAnswered(replies).getWithExpiry(KEY)).toEqual(found);
  });

  test.each<[string, Reply[] | null]>([
    ['none', null],
    ['one of two', [[null, null]]],
    [
      'no key, which lives on',
      [
        [null, null],
        [null, 5],
      ],
    ],
    [
      'no key, which never expires',
      [
        [null, null],
        [null, -1],
      ],
    ],
    [
      'a number for the record',
      [
        [null, 7],
        [null, 5],
      ],
    ],
    [
      'a list for the record',
      [
        [null, []],
        [null, -2],
      ],
    ],
    [
      'OK for the time',
      [
        [null, JSON_RECORD],
        [null, 'OK'],
      ],
    ],
    [
      'a record for the time',
      [
        [null, null],
        [null, JSON_RECORD],
      ],
    ],
    [
      'nothing for the time',
      [
        [null, JSON_RECORD],
        [null, null],
      ],
    ],
  ])(
    'that do not fit the commands are a failure, not a missing session: %s',
    async (_what, replies) => {
      await expect(storeAnswered(replies).getWithExpiry(KEY)).rejects.toThrow('do not fit');
    },
  );

  test.each<[string, Reply[]]>([
    [
      'GET',
      [
        [new Error('LOADING'), undefined],
        [null, -2],
      ],
    ],
    [
      'PTTL',
      [
        [null, null],
        [new Error('LOADING'), undefined],
      ],
    ],
  ])('that are errors are failures (%s)', async (_which, replies) => {
    await expect(storeAnswered(replies).getWithExpiry(KEY)).rejects.toThrow('LOADING');
  });

  test('that tell of a key of another type are no failure: there will never be a record', async () => {
    const wrong = new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
    const found = await storeAnswered([
      [wrong, undefined],
      [null, -1],
    ]).getWithExpiry(KEY);
    expect(found).toEqual({ record: wrong.message, expiresIn: Infinity });
  });

  test.each([
    [16 * 1024, 'object'],
    [16 * 1024 + 1, 'string'],
  ])('of %d characters are read as: %s', async (length, type) => {
    const value = `{"a":"${'a'.repeat(length - 8)}"}`;
    const store = storeAnswered([
      [null, value],
      [null, 5],
    ]);
    expect(typeof (await store.get(KEY))).toBe(type);
  });

  test('that say there is no key mean no record', async () => {
    const store = storeAnswered([
      [null, null],
      [null, -2],
    ]);
    expect(await store.get(KEY)).toBeUndefined();
  });
});

describe('what Redis is asked', () => {
  const PREFIXED = `mcp-session:${KEY}`;
  const ENDED = { ...recordOf(), ended: true } as const;
  const script = expect.stringContaining("redis.call('PUBLISH'");

  test.each<[string, (store: RedisStore) => unknown, unknown[][]]>([
    [
      'to read',
      (store) => store.get(KEY),
      [
        ['get', PREFIXED],
        ['pttl', PREFIXED],
      ],
    ],
    [
      'to store',
      (store) => store.set(KEY, recordOf(), 1.6),
      [['SET', PREFIXED, JSON_RECORD, 'PX', 2]],
    ],
    [
      'to create',
      (store) => store.create(KEY, recordOf(), 0.1),
      [['SET', PREFIXED, JSON_RECORD, 'PX', 1, 'NX']],
    ],
    ['to refresh', (store) => store.touch(KEY, 5), [['PEXPIRE', PREFIXED, 5]]],
    ['to delete', (store) => store.delete(KEY), [['DEL', PREFIXED]]],
    [
      'to replace',
      (store) => store.replace(KEY, recordOf(), 5, 7),
      [['EVAL', script, 1, PREFIXED, 7, JSON_RECORD, 5, 'mcp-session:ended', `changed:${KEY}`]],
    ],
    [
      'to end',
      (store) => store.replace(KEY, ENDED, 5, 7),
      [['EVAL', script, 1, PREFIXED, 7, JSON.stringify(ENDED), 5, 'mcp-session:ended', KEY]],
    ],
  ])('%s', async (_what, ask, asked) => {
    const commands: unknown[][] = [];
    await ask(
      storeAnswered(
        [
          [null, null],
          [null, -2],
        ],
        { commands },
      ),
    );
    expect(commands).toEqual(asked);
  });

  test.each([
    ['OK', true, false],
    [null, false, false],
    [1, false, true],
    ['1', false, true],
    [0, false, false],
  ])('and answers by %p: created %p, replaced %p', async (answer, created, replaced) => {
    const store = storeAnswered(null, { answer });
    expect(await store.create(KEY, recordOf(), 5)).toBe(created);
    expect(await store.replace(KEY, recordOf(), 5, 1)).toBe(replaced);
  });
});

describe('when the subscription falls silent', () => {
  test('the client is asked too: a connection that had nothing to ask would not be missed', async () => {
    const commands: unknown[][] = [];
    const subscriber = new Subscriber();
    const store = storeAnswered(null, { commands, subscriber });
    const told: string[] = [];
    const stop = store.subscribe({
      ended: () => {},
      interrupted: () => void told.push('interrupted'),
      resumed: () => void told.push('resumed'),
    });
    subscriber.emit('ready');
    await settled();
    subscriber.emit('close');
    subscriber.emit('close');
    stop();
    expect(told).toEqual(['resumed', 'interrupted']);
    expect(commands).toEqual([['PING']]);
  });
});

describe('a subscription', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function listening({ status = 'ready', noticesGaps = true } = {}): {
    subscriber: Subscriber;
    told: string[];
    stop: () => void;
  } {
    const subscriber = new Subscriber();
    subscriber.status = status;
    const told: string[] = [];
    const stop = hearEndings(
      subscriber,
      'channel',
      {
        ended: (id) => void told.push(`ended ${id}`),
        interrupted: () => void told.push('interrupted'),
        resumed: () => void told.push('resumed'),
      },
      noticesGaps,
    );
    return { subscriber, told, stop };
  }

  test('is heard from when Redis has confirmed it, once', async () => {
    const { subscriber, told } = listening();
    subscriber.emit('ready');
    expect(told).toEqual([]);
    await settled();
    await jest.advanceTimersByTimeAsync(3000);
    await settled();
    expect(told).toEqual(['resumed']);
    expect(subscriber.calls).toEqual(Array(4).fill('subscribe channel'));
  });

  test('tells of endings', () => {
    const { subscriber, told } = listening();
    subscriber.emit('message', 'channel', 'id');
    expect(told).toEqual(['ended id']);
  });

  test('is interrupted when its connection is lost, and resumed on the next one', async () => {
    const { subscriber, told } = listening();
    subscriber.emit('ready');
    await settled();
    subscriber.emit('close');
    subscriber.emit('close');
    expect(told).toEqual(['resumed', 'interrupted']);
    subscriber.emit('ready');
    await settled();
    expect(told).toEqual(['resumed', 'interrupted', 'resumed']);
  });

  test.each([
    ['is refused', async () => Promise.reject(new Error('NOPERM'))],
    ['is not answered', () => new Promise(() => {})],
  ])(
    'that is not renewed because it %s is interrupted, and tried on another connection',
    async (_why, subscribed) => {
      const { subscriber, told } = listening();
      subscriber.emit('ready');
      await settled();
      subscriber.subscribed = subscribed;
      jest.advanceTimersByTime(1000);
      await settled();
      jest.advanceTimersByTime(1000);
      await settled();
      expect(told).toEqual(['resumed', 'interrupted']);
      expect(subscriber.calls).toContain('reconnect');
    },
  );

  test('that fails because its connection is lost leaves it to the client to connect anew', async () => {
    const { subscriber } = listening();
    subscriber.subscribed = () => Promise.reject(new Error('Connection is closed.'));
    subscriber.emit('ready');
    subscriber.status = 'reconnecting';
    await settled();
    expect(subscriber.calls).toEqual(['subscribe channel']);
  });

  test('is not renewed while there is no connection', () => {
    const { subscriber } = listening({ status: 'reconnecting' });
    jest.advanceTimersByTime(5000);
    expect(subscriber.calls).toEqual([]);
  });

  test('of a client that notices no gaps is never relied on, and its connection is left to it', async () => {
    const { subscriber, told } = listening({ noticesGaps: false });
    subscriber.emit('ready');
    await settled();
    subscriber.subscribed = () => Promise.reject(new Error('moved'));
    jest.advanceTimersByTime(1000);
    await settled();
    subscriber.emit('message', 'channel', 'id');
    expect(told).toEqual(['ended id']);
    expect(subscriber.calls).toEqual(['subscribe channel', 'subscribe channel']);
  });

  test('of a lazy client is connected', () => {
    expect(listening({ status: 'wait' }).subscriber.calls).toEqual(['connect']);
  });

  test('survives errors of its connection', () => {
    const { subscriber } = listening();
    expect(() => subscriber.emit('error', new Error('ECONNRESET'))).not.toThrow();
  });

  test('is over when it is stopped', () => {
    const { subscriber, stop } = listening();
    stop();
    jest.advanceTimersByTime(5000);
    expect(subscriber.calls).toEqual(['disconnect']);
  });

  test('leaves a client alone that has ended', () => {
    const { subscriber, stop } = listening({ status: 'end' });
    stop();
    expect(subscriber.calls).toEqual([]);
  });
});

describe('the recommended options for ioredis', () => {
  const { retryStrategy, reconnectOnError } = recommendedRedisOptions;

  test('try again for ever, in at most half a second', () => {
    const delays = [1, 2, 3, 4, 5, 100, 1e9].map(retryStrategy);
    expect(Math.max(...delays)).toBeLessThanOrEqual(500);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(100);
  });

  test('try again soon at first, and not all at the same moment', () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    expect([1, 2, 3, 4, 5].map(retryStrategy)).toEqual([100, 200, 400, 450, 450]);
    random.mockReturnValue(1);
    expect([1, 4].map(retryStrategy)).toEqual([150, 500]);
    random.mockRestore();
  });

  test('keep no command for later, and repeat none', () => {
    expect(recommendedRedisOptions).toMatchObject({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: 300,
      connectTimeout: 1000,
      socketTimeout: 1000,
    });
  });

  test('connect anew when a master has become a replica, at most once a second', () => {
    const readOnly = new Error("READONLY You can't write against a read only replica.");
    const now = jest.spyOn(performance, 'now').mockReturnValue(1e6);
    expect(reconnectOnError(new Error('OOM'))).toBe(false);
    expect(reconnectOnError(readOnly)).toBe(true);
    expect(reconnectOnError(readOnly)).toBe(false);
    now.mockReturnValue(1e6 + 1000);
    expect(reconnectOnError(readOnly)).toBe(true);
    now.mockRestore();
  });

  test('pass over a Sentinel that is silent', () => {
    expect(recommendedRedisOptions.sentinelCommandTimeout).toBe(1000);
  });

  test('leave out the detector of ioredis, with which a client may end for good', () => {
    expect(recommendedRedisOptions).not.toHaveProperty('failoverDetector');
  });

  test('cannot be changed by accident', () => {
    expect(Object.isFrozen(recommendedRedisOptions)).toBe(true);
  });
});
