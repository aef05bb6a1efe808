import { describe, expect, test } from '@jest/globals';
import session from 'express-session';
import { ExpressSessionAdapter } from '../../../src/store/express-session-store.ts';
import type { SessionDirectory } from '../../../src/store/session-directory.ts';
import type { EndedListener } from '../../../src/store/session-store.ts';
import {
  bench,
  benchWithSession,
  Clock,
  ClockedStore,
  directoryOf,
  KEY,
  recordOf,
  settled,
} from './clocked-store.ts';

type Callback = (error: unknown, session?: object | null) => void;
type Failures = { during: string; error: unknown }[];

/** A directory on a store for express-session whose verbs a test may replace; its time is real. */
function onExpress(verbs: object): {
  store: session.MemoryStore;
  directory: SessionDirectory;
  failures: Failures;
} {
  const store = Object.assign(new session.MemoryStore(), verbs);
  const failures: Failures = [];
  const clock = { time: 0, now: () => performance.now() } as Clock;
  const adapter = new ExpressSessionAdapter(store);
  const directory = directoryOf(adapter, clock, { storeTimeout: 60 }, failures);
  return { store, directory, failures };
}

/** A directory on a store that listens at once, and whose `subscribe` returns what is made of the function that stops it. */
function listening(subscribe: (stop: () => void) => unknown): {
  readonly directory: SessionDirectory;
  readonly store: ClockedStore;
  readonly clock: Clock;
  readonly failures: Failures;
  readonly stopped: () => number;
} {
  let stops = 0;
  const clock = new Clock();
  const failures: Failures = [];
  const store = Object.assign(new ClockedStore(clock), {
    subscribe(listener: EndedListener) {
      listener.resumed();
      return subscribe(() => void (stops += 1)) as () => void;
    },
  });
  const directory = directoryOf(store, clock, { storeTimeout: 30 }, failures);
  return { directory, store, clock, failures, stopped: () => stops };
}

function fail(): never {
  throw new Error('out of order');
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

const broken = {
  set: (_id: string, _session: object, done: Callback) => done(new Error('ERR syntax error')),
};
const forgetful = { set: (_id: string, _session: object, done: Callback) => done(null) };
const silent = { get: () => undefined };

describe('ready', () => {
  test('resolves when the store has answered once, by a read', async () => {
    const { directory, store } = bench();
    await directory.ready();
    expect(store.taken()).toEqual(['getWithExpiry']);
  });

  test('waits for a store that is not there at once', async () => {
    const { directory, store, clock } = bench();
    store.fault = 'reject';
    const ready = directory.ready();
    clock.advance(999);
    await settled();
    store.fault = undefined;
    await expect(ready).resolves.toBeUndefined();
  });

  test('gives one question all the time there is', async () => {
    const { directory, store } = bench();
    const late = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
    Object.defineProperty(store, 'getWithExpiry', { value: late });
    await expect(directory.ready()).resolves.toBeUndefined();
  });

  test('rejects after storeTimeout with what the store said', async () => {
    const { directory, store, clock } = bench();
    store.fault = 'reject';
    const ready = directory.ready();
    clock.advance(1000);
    await expect(ready).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'Session store unavailable: the store is out of order',
      cause: { message: 'the store is out of order' },
    });
  });

  test('rejects with what the store said, not with the silence that followed', async () => {
    const { directory, store, clock } = bench({ storeTimeout: 100 });
    store.fault = 'reject';
    const failure = directory.ready().catch((error: unknown) => error);
    await settled();
    store.fault = 'hang';
    clock.advance(90);
    await until(() => store.calls.length > 1);
    clock.advance(10);
    expect(await failure).toMatchObject({ cause: { message: 'the store is out of order' } });
  });

  test('rejects when a store never answers', async () => {
    const { directory } = onExpress(silent);
    await expect(directory.ready()).rejects.toThrow(/no answer within/);
  });

  test('rejects with what is wrong with a store for express-session, and the remedy', async () => {
    const { directory } = onExpress(broken);
    await expect(directory.ready()).rejects.toThrow(
      /MemoryStore does not work: "set" failed with "ERR syntax error".*use connect-redis 8\.1 with ioredis/,
    );
  });
});

describe('a gateway that does not wait for ready()', () => {
  test.each([
    ['cannot store', broken, /"set" failed with "ERR syntax error"/],
    ['forgets at once', forgetful, /"get" does not return what "set" has stored/],
    ['never answers', silent, /no answer within/],
  ])('is told of a store that %s', async (_what, verbs, message) => {
    const { failures } = onExpress(verbs);
    await until(() => failures.length > 0);
    expect(failures).toEqual([
      {
        during: 'probe',
        error: expect.objectContaining({ message: expect.stringMatching(message) }),
      },
    ]);
  });

  test.each([
    ['cannot store', broken],
    ['forgets at once', forgetful],
    ['never answers', silent],
  ])('finds no session unknown, and stores none, in a store that %s', async (_what, verbs) => {
    const { directory } = onExpress(verbs);
    expect(await directory.lookup(KEY)).toEqual({ kind: 'unavailable' });
    await expect(directory.create(KEY, recordOf())).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  test('uses the store as soon as it works', async () => {
    const { directory, store, failures } = onExpress(broken);
    await until(() => failures.length > 0);
    Reflect.deleteProperty(store, 'set');
    expect(await directory.lookup(KEY)).toEqual({ kind: 'unknown' });
    expect(await directory.create(KEY, recordOf())).toBe('created');
  });

  test('is told nothing of a store that works, nor after it was closed', async () => {
    const good = onExpress({});
    await good.directory.ready();
    const bad = onExpress(broken);
    await bad.directory.close();
    await expect(bad.directory.ready()).rejects.toThrow(/ERR syntax error/);
    await settled();
    expect([...good.failures, ...bad.failures]).toEqual([]);
  });

  test('asks nothing of a store that has no probe', async () => {
    const { store } = bench();
    await settled();
    expect(store.taken()).toEqual([]);
  });
});

describe('a store that cannot listen', () => {
  test('is told, and its endings are not relied on', async () => {
    const { directory, store, clock, failures } = listening(async () => fail());
    await directory.create(KEY, recordOf());
    await settled();
    expect(failures.map(({ during }) => during)).toEqual(['subscribe']);
    clock.advance(1000);
    store.taken();
    await directory.lookup(KEY);
    expect(store.taken()).toEqual(['getWithExpiry']);
  });
});

describe('closing', () => {
  test('ends what waits for the store to be ready', async () => {
    const { directory, store } = bench();
    store.fault = 'reject';
    const ready = directory.ready();
    await directory.close();
    await expect(ready).rejects.toThrow(/out of order/);
  });

  test('stops listening to the store, and lets it release what it has opened', async () => {
    const { directory, store } = bench();
    expect(store.listeners.size).toBe(1);
    await directory.close();
    expect(store.listeners.size).toBe(0);
    expect(store.closed).toBe(1);
  });

  test('is done once, however often it is asked for', async () => {
    const { directory, store } = bench();
    await Promise.all([directory.close(), directory.close()]);
    await directory.close();
    expect(store.closed).toBe(1);
  });

  test('waits for a store that says by a promise how to stop listening', async () => {
    const { directory, stopped, store } = listening(async (stop) => stop);
    await directory.close();
    expect([stopped(), store.closed]).toEqual([1, 1]);
  });

  test('stops a store that says so only after it was closed', async () => {
    let answer = (): void => {};
    const { directory, stopped, store } = listening(
      (stop) => new Promise((resolve) => (answer = () => resolve(stop))),
    );
    await directory.close();
    expect([stopped(), store.closed]).toEqual([0, 1]);
    answer();
    await settled();
    expect(stopped()).toBe(1);
  });

  test.each<[string, (stop: () => void) => unknown]>([
    ['nothing', () => undefined],
    ['a promise of nothing', async () => undefined],
    ['what is no function', () => 'stop'],
  ])('is fine with a store whose subscribe returns %s', async (_what, subscribe) => {
    const { directory, store, failures } = listening(subscribe);
    await directory.close();
    expect([store.closed, failures]).toEqual([1, []]);
  });

  test.each<[string, (stop: () => void) => unknown]>([
    ['throws', () => fail],
    ['rejects', () => async () => fail()],
    ['does not end', () => () => new Promise(() => {})],
  ])('closes the store also where stopping to listen %s', async (_how, subscribe) => {
    const { directory, store, failures } = listening(subscribe);
    await directory.close();
    expect([store.closed, failures.map(({ during }) => during)]).toEqual([1, ['unsubscribe']]);
  });

  test('rejects with what the store says when it cannot be closed', async () => {
    const { directory, store } = bench();
    store.close = fail;
    await expect(directory.close()).rejects.toThrow('out of order');
  });

  test('leaves nothing in the cache, and trusts what it finds after that for a second', async () => {
    const { directory, store, clock } = await benchWithSession();
    await directory.close();
    for (const ms of [0, 999, 1]) {
      clock.advance(ms);
      await directory.lookup(KEY);
    }
    expect(store.taken()).toEqual(['getWithExpiry', 'getWithExpiry']);
  });

  test('is fine with a store of three verbs', async () => {
    const { directory } = bench({ without: ['subscribe', 'close'] });
    await expect(directory.close()).resolves.toBeUndefined();
  });
});
