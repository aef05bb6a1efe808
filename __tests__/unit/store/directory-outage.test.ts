import { describe, expect, jest, test } from '@jest/globals';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { until } from '../../helpers/until.ts';
import {
  bench,
  benchWithSession,
  Clock,
  directoryOf,
  KEY,
  recordOf,
  settled,
  TTL,
  type Fault,
} from './clocked-store.ts';

const LIVE = { kind: 'live', record: recordOf() };
const UNAVAILABLE = { kind: 'unavailable' };
const FAULTS: readonly Fault[] = ['throw', 'reject', 'hang'];
const SHORT = { storeTimeout: 20 };

describe.each(FAULTS)('while the store fails (%s)', (fault) => {
  test('a session that is not in the cache is unavailable, neither unknown nor ended', async () => {
    const { directory, store, failures } = bench(SHORT);
    store.fault = fault;
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
    expect(failures.map(({ during }) => during)).toEqual(['read']);
  });

  test('a session in the cache is served until maxStale, then it is unavailable', async () => {
    const { directory, store, clock } = await benchWithSession(SHORT);
    store.fault = fault;
    for (let second = 0; second < 60; second += 1) {
      expect(await directory.lookup(KEY)).toEqual(LIVE);
      clock.advance(1000);
    }
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
  });

  test('no session is created, ended or found over', async () => {
    const { directory, store } = await benchWithSession(SHORT);
    store.fault = fault;
    const unavailable = expect.objectContaining({ code: 'store_unavailable', status: 503 });
    await expect(directory.create('b'.repeat(64), recordOf())).rejects.toEqual(unavailable);
    await expect(directory.endNow(KEY, 'called')).rejects.toEqual(unavailable);
    expect(await directory.end(KEY, recordOf(), 'deleted')).toEqual(UNAVAILABLE);
    expect(await directory.endUnlessMoved(KEY, recordOf(), 'lost')).toEqual(UNAVAILABLE);
    expect(directory.lookup(KEY)).toEqual(LIVE);
  });

  test('each question it has not answered is told by its name, and to the caller as the cause', async () => {
    const { directory, store, clock, failures } = await benchWithSession(SHORT);
    store.fault = fault;
    const cause = expect.any(Error);
    await expect(directory.create(KEY, recordOf())).rejects.toMatchObject({ cause });
    await directory.end(KEY, recordOf(), 'deleted');
    clock.advance(TTL / 10);
    void directory.lookup(KEY);
    await until(() => failures.length === 3);
    expect(failures.map(({ during }) => during)).toEqual(['create', 'replace', 'touch']);
  });

  test('a session is found as soon as the store is back', async () => {
    const { directory, store, another } = await benchWithSession(SHORT);
    const cold = another();
    store.fault = fault;
    await cold.lookup(KEY);
    store.fault = undefined;
    expect(await cold.lookup(KEY)).toEqual(LIVE);
    expect(await directory.lookup(KEY)).toEqual(LIVE);
  });
});

describe('while the store fails', () => {
  test('it is asked at most once a second for each session in the cache', async () => {
    const { directory, store, clock } = await benchWithSession();
    store.fault = 'reject';
    clock.advance(30_000);
    store.taken();
    for (let request = 0; request < 100; request += 1) {
      clock.advance(50);
      expect(await directory.lookup(KEY)).toEqual(LIVE);
    }
    expect(store.taken().filter((verb) => verb === 'getWithExpiry').length).toBeLessThanOrEqual(6);
  });

  test('requests that come at the same time make it one question', async () => {
    const { directory, store, clock } = await benchWithSession(SHORT);
    store.fault = 'hang';
    clock.advance(30_000);
    await Promise.all(Array.from({ length: 10 }, async () => directory.lookup(KEY)));
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('only the first request waits for it, the others are served at once', async () => {
    const { directory, store, clock } = await benchWithSession(SHORT);
    store.fault = 'hang';
    clock.advance(30_000);
    expect(directory.lookup(KEY)).toBeInstanceOf(Promise);
    await directory.lookup(KEY);
    clock.advance(1000);
    expect(directory.lookup(KEY)).toEqual(LIVE);
  });

  test('a request long after the last one waits again: what is known may be over', async () => {
    const { directory, store, clock } = await benchWithSession(SHORT);
    store.fault = 'hang';
    clock.advance(30_000);
    await directory.lookup(KEY);
    clock.advance(2000);
    expect(directory.lookup(KEY)).toBeInstanceOf(Promise);
  });

  test('a session is served past its ttl: nobody could refresh it', async () => {
    const setUp = { ttl: 10_000, cache: { maxStale: 60_000 } };
    const { directory, store, clock } = await benchWithSession(setUp);
    store.fault = 'reject';
    clock.advance(20_000);
    expect(await directory.lookup(KEY)).toEqual(LIVE);
    store.taken();
    clock.advance(999);
    expect(directory.lookup(KEY)).toEqual(LIVE);
    expect(store.taken()).not.toContain('getWithExpiry');
  });

  test('a session is not served at once past maxStale', async () => {
    const { directory, store, clock } = await benchWithSession({
      cache: { maxAge: 1000, maxStale: 3000 },
    });
    store.fault = 'reject';
    for (let second = 0; second < 2; second += 1) {
      clock.advance(1000);
      expect(await directory.lookup(KEY)).toEqual(LIVE);
      await settled();
    }
    clock.advance(1000);
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
  });

  test.each([
    ['lost', undefined],
    ['corrupt', 'corrupt'],
  ])('a session whose record was found %s before is not served', async (_how, record) => {
    const { directory, store, clock } = await benchWithSession();
    if (record === undefined) store.kept.clear();
    else store.put(KEY, record, TTL);
    clock.advance(30_000);
    await directory.lookup(KEY);
    store.fault = 'reject';
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
  });

  test('an ended session stays ended', async () => {
    const { directory, store, clock } = await benchWithSession();
    await directory.endNow(KEY, 'called');
    store.fault = 'reject';
    clock.advance(TTL);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
  });

  test.each(['ended', 'read anew'])(
    'a request that waits for a refresh is not served what was known before: the session was %s meanwhile',
    async (news) => {
      const { directory, store, clock } = await benchWithSession({ storeTimeout: 60 });
      store.fault = 'hang';
      clock.advance(30_000);
      const waiting = directory.lookup(KEY);
      store.fault = undefined;
      if (news === 'ended') store.tell('ended', KEY);
      else await directory.endNow(KEY, 'called');
      expect(await waiting).toEqual({ kind: 'ended' });
      expect(directory.lookup(KEY)).toEqual({ kind: 'ended' });
    },
  );

  test('a request that waits for a refresh is not served what is in the cache no more', async () => {
    const { directory, store, clock } = await benchWithSession({ ...SHORT, cache: { max: 1 } });
    store.fault = 'hang';
    clock.advance(30_000);
    const waiting = directory.lookup(KEY);
    store.tell('ended', 'b'.repeat(64));
    expect(await waiting).toEqual(UNAVAILABLE);
  });

  test('nothing is served without a cache', async () => {
    const { directory, store } = await benchWithSession({ cache: false });
    store.fault = 'reject';
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
  });

  test('a session is not there to be ended when it is heard to be over meanwhile', async () => {
    const { directory, store } = await benchWithSession(SHORT);
    store.fault = 'hang';
    const ending = directory.endNow(KEY, 'called');
    store.tell('ended', KEY);
    expect(await ending).toBe(false);
  });

  test('a session is tried to be ended once', async () => {
    const { directory, store } = await benchWithSession();
    store.fault = { replace: 'reject' };
    await expect(directory.endNow(KEY, 'called')).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(store.taken()).toEqual(['getWithExpiry', 'replace']);
  });

  test('a session is not over because it was moved and nobody can say where to', async () => {
    const { directory, store } = await benchWithSession();
    store.fault = { getWithExpiry: 'reject' };
    expect(await directory.end(KEY, { ...recordOf(), version: 0 }, 'deleted')).toEqual(UNAVAILABLE);
    expect(directory.lookup(KEY)).toEqual(LIVE);
  });

  test('a session that its backend has deleted is over here', async () => {
    const { directory, store, ended } = await benchWithSession();
    store.fault = 'reject';
    await directory.end(KEY, recordOf(), 'deleted');
    directory.forget(KEY, recordOf(), 'deleted');
    store.fault = undefined;
    expect(await directory.lookup(KEY)).toEqual({ kind: 'ended' });
    expect(ended).toEqual([KEY]);
  });
});

describe('a store that does not answer', () => {
  test('is given up after storeTimeout', async () => {
    const { directory, store, failures } = bench({ storeTimeout: 50 });
    store.fault = 'hang';
    const startedAt = performance.now();
    await directory.lookup(KEY);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(45);
    expect(failures).toMatchObject([{ error: { message: 'no answer within 50 ms' } }]);
  });

  test('may fail after that without an unhandled rejection', async () => {
    const { directory, store } = bench({ storeTimeout: 10, without: ['getWithExpiry'] });
    let fail = (): void => {};
    store.get = () =>
      new Promise((_resolve, reject) => {
        fail = () => reject(new Error('late'));
      });
    expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
    fail();
    await settled();
  });

  test('holds up creating once, however many steps it takes', async () => {
    const { directory, store } = bench({ storeTimeout: 50, without: ['create'] });
    store.fault = { set: 'hang' };
    await expect(directory.create(KEY, recordOf())).rejects.toThrow(/unavailable/);
    expect(store.taken()).toEqual(['getWithExpiry', 'set']);
  });

  test('may be given more time than a timer takes', async () => {
    const { directory, store } = await benchWithSession({ storeTimeout: 1e12, cache: false });
    const release = store.holdAnswers();
    const found = directory.lookup(KEY);
    // A timer that is given more than it takes fires after a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    expect(await found).toEqual(LIVE);
  });
});

describe('a store that cannot be relied on', () => {
  test('and gives another version each time is not asked for ever by one who ends a session', async () => {
    const { directory, store } = bench({ without: ['getWithExpiry', 'replace'] });
    let version = 0;
    store.get = async () => ({ ...recordOf(), version: (version += 1) });
    await expect(directory.endNow(KEY, 'called')).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(version).toBeLessThan(100);
  });

  test.each([{ record: recordOf() }, { record: recordOf(), expiresIn: NaN }, 5])(
    'and does not tell the time although it says so is out of order (%p)',
    async (answer) => {
      const { directory, store, failures } = bench();
      Object.defineProperty(store, 'getWithExpiry', { value: () => answer });
      expect(await directory.lookup(KEY)).toEqual(UNAVAILABLE);
      expect(String(failures[0]?.error)).toContain('must answer { record, expiresIn }');
    },
  );
});

describe('a listener that throws', () => {
  test('changes nothing for the request, and is told as a warning', async () => {
    const { directory, store, failures } = await benchWithSession();
    const mistake = new Error('mistake in a listener');
    failures.push = () => {
      throw mistake;
    };
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    store.fault = 'reject';
    expect(await directory.lookup('b'.repeat(64))).toEqual(UNAVAILABLE);
    expect(warn.mock.calls).toEqual([[mistake]]);
    warn.mockRestore();
  });
});

test('a store in this process is answered at once', async () => {
  const directory = directoryOf(new MemoryStore(), new Clock());
  await directory.create(KEY, recordOf());
  expect(directory.lookup(KEY)).toEqual(LIVE);
  expect(directory.lookup('b'.repeat(64))).toEqual({ kind: 'unknown' });
});

test.each([
  ['a promise of another library', { then: (give: (found: unknown) => void) => give(recordOf()) }],
  ['null for what is absent', null],
])('a store may answer with %s', async (_what, answer) => {
  const { directory, store } = bench({ without: ['getWithExpiry', 'touch', 'set'] });
  Object.defineProperty(store, 'get', { value: () => answer });
  expect(await directory.lookup(KEY)).toEqual(answer ? LIVE : { kind: 'unknown' });
});
