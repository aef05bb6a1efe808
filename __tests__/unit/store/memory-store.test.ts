import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { MapStore } from '../../../src/store/map-store.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { KEY, recordOf } from './clocked-store.ts';

const IDS = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const MINUTE = 60_000;

afterEach(() => {
  jest.restoreAllMocks();
});

function spyOnWarnings(): jest.SpiedFunction<typeof process.emitWarning> {
  return jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
}

/** Stops the clock that stores in this process go by; the function that is returned moves it. */
function stopClock(): (ms: number) => void {
  let time = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => time);
  return (ms) => {
    time += ms;
  };
}

test('what is stored is not changed by whoever has given it', () => {
  const store = new MemoryStore();
  const given = { ...recordOf(IDS[0]) };
  store.set(IDS[0], given, MINUTE);
  Object.assign(given, { backend_url: 'http://another' });
  expect(store.get(IDS[0])).toEqual(recordOf(IDS[0]));
  expect(Object.isFrozen(store.get(IDS[0]))).toBe(true);
});

describe('a full MemoryStore', () => {
  function fill(store: MemoryStore, ttl = MINUTE): void {
    for (const id of IDS) store.set(id, recordOf(id), ttl);
  }

  test('forgets the session that was not used for longest', () => {
    spyOnWarnings();
    const store = new MemoryStore({ max: 2 });
    store.set(IDS[0], recordOf(IDS[0]), MINUTE);
    store.set(IDS[1], recordOf(IDS[1]), MINUTE);
    store.touch(IDS[0], MINUTE);
    store.set(IDS[2], recordOf(IDS[2]), MINUTE);
    expect(IDS.map((id) => store.get(id) !== undefined)).toEqual([true, false, true]);
  });

  test('counts what it forgets, and warns once, with the remedy', () => {
    const warn = spyOnWarnings();
    const store = new MemoryStore({ max: 1 });
    fill(store);
    fill(store);
    expect(store.evicted).toBe(5);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/full \(1 sessions\).*RedisStore/), {
      code: 'MCP_SESSION_ROUTING_STORE_FULL',
    });
  });

  test('counts neither what was over anyway, nor what was deleted or replaced', () => {
    const advance = stopClock();
    const warn = spyOnWarnings();
    const store = new MemoryStore({ max: 1 });
    store.set(IDS[0], recordOf(IDS[0]), 10);
    store.set(IDS[0], recordOf(IDS[0]), 20);
    store.delete(IDS[0]);
    store.set(IDS[1], recordOf(IDS[1]), 10);
    advance(10);
    store.set(IDS[2], recordOf(IDS[2]), MINUTE);
    expect(store.evicted).toBe(0);
    expect(warn).not.toHaveBeenCalled();
  });

  test.each([0, -1, 1.5, NaN, Infinity, '5', 2 ** 24 + 1, 2 ** 40])(
    'refuses "max" of %p',
    (max) => {
      expect(() => new MemoryStore({ max: max as number })).toThrow(
        'MemoryStore: "max" must be a whole number from 1 to 16777216, got ',
      );
    },
  );

  test.each([
    [{ maxx: 3 }, '"maxx" is not an option, did you mean "max"?'],
    [null, 'the options must be an object, such as { max }'],
    [[], 'the options must be an object'],
    [5, 'the options must be an object'],
  ])('refuses the options %p', (options, remedy) => {
    const make = (): unknown => Reflect.construct(MemoryStore, [options]);
    expect(make).toThrow(`MemoryStore: ${remedy}`);
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_store' }));
  });
});

describe.each([
  { name: 'MemoryStore', store: () => new MemoryStore() },
  { name: 'Map', store: () => new MapStore(new Map()) },
])('a $name', ({ store: make }) => {
  test('forgets a record when its ttl is over, not before', () => {
    const advance = stopClock();
    const store = make();
    store.set(KEY, recordOf(), MINUTE);
    advance(MINUTE - 1);
    expect(store.get(KEY)).toEqual(recordOf());
    advance(1.1);
    expect(store.get(KEY)).toBeUndefined();
    expect(store.getWithExpiry(KEY)).toBeUndefined();
    expect(store.replace(KEY, recordOf(), MINUTE, 1)).toBe(false);
    store.touch(KEY, MINUTE);
    expect(store.get(KEY)).toBeUndefined();
    expect(store.create(KEY, recordOf(), MINUTE)).toBe(true);
  });

  test('does not go by the time of day', () => {
    const store = make();
    store.set(KEY, recordOf(), MINUTE);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    expect(store.get(KEY)).toEqual(recordOf());
  });
});

describe('a Map that is a store', () => {
  test('holds records that can be looked at', () => {
    const map = new Map<string, unknown>();
    new MapStore(map).set(KEY, recordOf(), MINUTE);
    const until = expect.any(Number);
    expect(map.get(KEY)).toMatchObject({ backend_url: 'http://backend-1', expires_at: until });
  });

  test.each(['something else', { ...recordOf(), expires_at: 'soon' }])(
    'hands on what others have put in, and does not overwrite it (%p)',
    (record) => {
      const map = new Map<string, unknown>([[KEY, record]]);
      const store = new MapStore(map);
      expect(store.getWithExpiry(KEY)).toEqual({ record, expiresIn: Infinity });
      expect(store.create(KEY, recordOf(), MINUTE)).toBe(false);
      expect(store.replace(KEY, recordOf(), MINUTE, 1)).toBe(false);
      store.touch(KEY, MINUTE);
      expect(map.get(KEY)).toBe(record);
    },
  );

  test.each([null, undefined])('has no record where %p was put in', (nothing) => {
    const store = new MapStore(new Map([[KEY, nothing]]));
    expect(store.getWithExpiry(KEY)).toBeUndefined();
    expect(store.create(KEY, recordOf(), MINUTE)).toBe(true);
  });

  test('loses an expired record when it is asked for', () => {
    const map = new Map<string, unknown>();
    const store = new MapStore(map);
    const advance = stopClock();
    store.set(KEY, recordOf(), MINUTE);
    advance(MINUTE);
    store.get(KEY);
    expect(map.size).toBe(0);
  });
});
