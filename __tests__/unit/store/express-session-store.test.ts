import { describe, expect, jest, test } from '@jest/globals';
import session from 'express-session';
import { ExpressSessionAdapter } from '../../../src/store/express-session-store.ts';
import { KEY, recordOf, settled } from './clocked-store.ts';

const MINUTE = 60_000;
const RECORD = recordOf();

type Callback = (error: unknown, session?: object | null) => void;
type Stored = Record<string, unknown> & { cookie: Record<string, unknown> };

/** A store for express-session in a Map, whose verbs a test may replace. */
class Store {
  readonly kept = new Map<string, Stored>();
  readonly calls: string[] = [];
  get(id: string, done: Callback): unknown {
    this.calls.push('get');
    done(null, this.kept.get(id));
    return undefined;
  }
  set(id: string, value: Stored, done: Callback): unknown {
    this.calls.push('set');
    this.kept.set(id, value);
    done(null);
    return undefined;
  }
  destroy(id: string, done: Callback): unknown {
    this.calls.push('destroy');
    this.kept.delete(id);
    done(null);
    return undefined;
  }
}

async function adapted(verbs: Partial<Record<string, unknown>> = {}): Promise<{
  store: Store;
  adapter: ExpressSessionAdapter;
  stored: () => Stored | undefined;
}> {
  const store = new Store();
  const adapter = new ExpressSessionAdapter(store);
  await adapter.set(KEY, RECORD, MINUTE);
  store.calls.length = 0;
  Object.assign(store, verbs);
  return { store, adapter, stored: () => store.kept.get(`mcp-session:${KEY}`) };
}

describe('a store for express-session', () => {
  test('gets a cookie with the lifetime, under the names that stores look for', async () => {
    const { stored } = await adapted();
    const { maxAge, originalMaxAge, expires, path } = stored()?.cookie ?? {};
    expect([maxAge, originalMaxAge, path]).toEqual([MINUTE, MINUTE, '/']);
    expect(Math.abs(Number(expires) - Date.now() - MINUTE)).toBeLessThan(5000);
  });

  test('keeps records apart from web sessions, by their ids', async () => {
    const { store, adapter } = await adapted();
    store.kept.set(KEY, { user: 1, cookie: {} });
    expect(await adapter.get(KEY)).toEqual(RECORD);
  });

  test.each([null, undefined])('may answer %p for what is absent', async (answer) => {
    const { adapter } = await adapted({ get: (_id: string, done: Callback) => done(null, answer) });
    expect(await adapter.get(KEY)).toBeUndefined();
  });

  test('may fail with ENOENT for what is absent, as stores that keep files do', async () => {
    const absent = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const { adapter } = await adapted({ get: (_id: string, done: Callback) => done(absent) });
    expect(await adapter.get(KEY)).toBeUndefined();
  });

  test('fails by ENOENT when it is to store something', async () => {
    const error = Object.assign(new Error('no such folder'), { code: 'ENOENT' });
    const set = (_id: string, _value: unknown, done: Callback): void => done(error);
    const { adapter } = await adapted({ set });
    await expect(adapter.set(KEY, RECORD, MINUTE)).rejects.toThrow('no such folder');
  });

  test('fails by a verb that is no function any more', async () => {
    const { adapter } = await adapted({ get: undefined });
    await expect(adapter.get(KEY)).rejects.toThrow('the store has no "get"');
  });

  test('that fails by something else than an error has that as the cause', async () => {
    const { adapter } = await adapted({ get: (_id: string, done: Callback) => done('broken') });
    await expect(adapter.get(KEY)).rejects.toMatchObject({ message: 'broken', cause: 'broken' });
  });

  test.each<[string, (id: string, done: Callback) => unknown]>([
    ['its callback', (_id, done) => done(new Error('broken'))],
    ['a string to its callback', (_id, done) => done('broken')],
    [
      'an exception',
      () => {
        throw new Error('broken');
      },
    ],
    ['a promise', () => Promise.reject(new Error('broken'))],
    [
      'a promise and its callback',
      (_id, done) => {
        done(new Error('broken'));
        return Promise.reject(new Error('too'));
      },
    ],
    [
      'a promise after its callback',
      (_id, done) => {
        done(new Error('broken'));
        return Promise.resolve();
      },
    ],
  ])('fails by %s', async (_how, get) => {
    const { adapter } = await adapted({ get });
    await expect(adapter.get(KEY)).rejects.toThrow('broken');
  });

  test('is touched with the whole session: some stores write what they are given', async () => {
    const { adapter, store, stored } = await adapted({
      touch(this: Store, id: string, value: Stored, done: Callback) {
        this.kept.set(id, value);
        done(null);
      },
    });
    await adapter.touch(KEY, 2 * MINUTE);
    expect(await adapter.get(KEY)).toEqual(RECORD);
    expect(stored()?.cookie.maxAge).toBe(2 * MINUTE);
    expect(store.calls).not.toContain('set');
  });

  test('without touch is refreshed by storing the session again', async () => {
    const { adapter, stored } = await adapted();
    await adapter.touch(KEY, 2 * MINUTE);
    expect(await adapter.get(KEY)).toEqual(RECORD);
    expect(stored()?.cookie.maxAge).toBe(2 * MINUTE);
  });

  test('does not get back by a touch what it has lost', async () => {
    const { adapter, store } = await adapted();
    await adapter.delete(KEY);
    await adapter.touch(KEY, MINUTE);
    expect(store.kept.size).toBe(0);
  });

  test('is read without being tried, if it has the session', async () => {
    const { store } = await adapted();
    const other = new ExpressSessionAdapter(store);
    expect(await other.get(KEY)).toEqual(RECORD);
    expect(store.calls).toEqual(['get']);
  });
});

describe('a store for express-session is tried', () => {
  test('once, by storing, reading and destroying a key of its own', async () => {
    const store = new Store();
    const adapter = new ExpressSessionAdapter(store);
    await Promise.all([adapter.probe(), adapter.get(KEY), adapter.set(KEY, RECORD, MINUTE)]);
    expect(store.calls.toSorted()).toEqual(['destroy', 'get', 'get', 'set', 'set']);
  });

  test.each(['set', 'get', 'destroy'])('and told by the verb that fails (%s)', async (verb) => {
    const store = new Store();
    Object.assign(store, {
      [verb]: (...args: unknown[]) => (args.at(-1) as Callback)(new Error('ERR syntax error')),
    });
    const adapter = new ExpressSessionAdapter(store);
    await expect(adapter.probe()).rejects.toMatchObject({
      message:
        `the express-session store Store does not work: "${verb}" failed with "ERR syntax error". ` +
        'If it is connect-redis: use connect-redis 8.1 with ioredis, or connect-redis >= 9 with node-redis, ' +
        'or pass the ioredis client itself to mcpSessionRouting()',
      cause: { message: 'ERR syntax error' },
    });
  });

  test.each<[string, Partial<Store>]>([
    ['stores nothing', { set: (_id, _value, done) => done(null) }],
    ['gives back something else', { get: (_id, done) => done(null, { cookie: {} }) }],
    ['gives back a string', { get: (_id, done) => done(null, 'x' as never) }],
  ])(
    'and found out if it %s: nothing is stored, and absence is not believed',
    async (_what, verbs) => {
      const store = Object.assign(new Store(), verbs);
      const adapter = new ExpressSessionAdapter(store);
      const wrong = /"get" does not return what "set" has stored. Check it with express-session/;
      await expect(adapter.probe()).rejects.toThrow(wrong);
      await expect(adapter.set(KEY, RECORD, MINUTE)).rejects.toThrow(wrong);
      store.get = (_id, done) => done(null, null);
      await expect(adapter.get(KEY)).rejects.toThrow(wrong);
    },
  );

  test('again until it works, and then no more', async () => {
    const store = new Store();
    const set = store.set.bind(store);
    store.set = (_id, _value, done) => done(new Error('not connected'));
    const adapter = new ExpressSessionAdapter(store);
    await expect(adapter.get(KEY)).rejects.toThrow(/not connected.*tried again/);
    store.set = set;
    expect(await adapter.get(KEY)).toBeUndefined();
    store.calls.length = 0;
    await adapter.get(KEY);
    await adapter.probe();
    expect(store.calls).toEqual(['get']);
  });

  test('anew when a try is never answered, and believed when it is answered after all', async () => {
    const store = new Store();
    const get = store.get.bind(store);
    let time = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => time);
    const late: (() => unknown)[] = [];
    store.get = (id, done) => late.push(() => get(id, done));
    const adapter = new ExpressSessionAdapter(store);
    const first = adapter.probe();
    time = 1999;
    const same = adapter.probe();
    expect(store.calls).toEqual(['set']);
    time = 2000;
    const second = adapter.probe();
    expect(store.calls).toEqual(['set', 'set']);
    jest.restoreAllMocks();
    await settled();
    late[0]?.();
    await Promise.all([first, same]);
    store.get = get;
    await adapter.set(KEY, RECORD, MINUTE);
    late[1]?.();
    await second;
  });

  test('once at a time, also when a try that was given up fails late', async () => {
    const store = new Store();
    let time = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => time);
    const late: Callback[] = [];
    store.get = (_id, done) => late.push(done);
    const adapter = new ExpressSessionAdapter(store);
    const first = adapter.probe();
    await settled();
    time = 2000;
    void adapter.probe().catch(() => {});
    late[0]?.(new Error('too late'));
    await expect(first).rejects.toThrow('too late');
    void adapter.probe().catch(() => {});
    clock.mockRestore();
    expect(store.calls).toEqual(['set', 'set']);
  });

  test('and named as far as it has a name', async () => {
    const fail = (...args: unknown[]): unknown => (args.at(-1) as Callback)(new Error('broken'));
    const nameless = Object.assign(Object.create(null), { get: fail, set: fail, destroy: fail });
    const adapter = new ExpressSessionAdapter(nameless as Store);
    await expect(adapter.probe()).rejects.toThrow(
      /^the express-session store does not work: "set"/,
    );
  });

  test('and leaves nothing behind', async () => {
    const store = new session.MemoryStore();
    await new ExpressSessionAdapter(store).probe();
    expect(Reflect.get(store, 'sessions')).toEqual({});
  });
});
