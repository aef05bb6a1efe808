import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { Backends, type BackendsOptions } from '../../../src/backends/backends.ts';
import type { BackendSource } from '../../../src/backends/discovery.ts';
import { Traffic } from '../../../src/backends/traffic.ts';
import { onCleanup } from '../../helpers/cleanup.ts';

const A = 'http://a';
const B = 'http://b';
const C = 'http://c';
const req = {} as IncomingMessage;

interface Bench {
  readonly backends: Backends;
  readonly told: string[];
  /** The next one that a session is opened on, and those to try after it. */
  readonly next: () => readonly string[];
}

function bench(source: unknown, options: Partial<BackendsOptions> = {}): Bench {
  const told: string[] = [];
  const note = (what: string) => (value: unknown) =>
    void told.push(`${what} ${value instanceof Error ? value.message : String(value)}`);
  const backends = new Backends(source as BackendSource, {
    balance: 'round-robin',
    health: undefined,
    eraTtl: 5000,
    traffic: new Traffic(),
    now: () => 0,
    onDown: note('down'),
    onUp: note('up'),
    onUnlisted: note('unlisted'),
    onRemoved: note('removed'),
    ...options,
  });
  onCleanup(() => backends.close());
  return { backends, told, next: () => backends.choose(req, 'opening') };
}

/** A discovery that says what it is told to. */
function discovery(first: unknown): { list: unknown; readonly source: () => unknown } {
  const state = { list: first, source: () => state.list };
  return state;
}

describe('a list of backends', () => {
  test.each([
    ['an origin', A, [A]],
    ['a URL', new URL(A), [A]],
    ['an entry', { url: A, id: 'x' }, [A]],
    ['several', [A, new URL('http://b/'), { url: C }], [A, B, C]],
  ])('is %s', (_what, source, urls) => {
    const { backends } = bench(source);
    expect(backends.list().map(({ url }) => url)).toEqual(urls);
    expect(backends.find('http://d')).toBeUndefined();
  });

  test.each([
    [[], /backends: must be an origin or a list of at least one/],
    [null, /backends: must be an origin or a list/],
    [7, /backends: 7 must be an absolute/],
    [[A, 'http://a/'], /backends: http:\/\/a is given twice/],
    [[{ url: A, password: 'x-y' }], /^(?!.*x-y).*backends: http:\/\/a: "password"/],
    [[A, '/mcp'], /backends: "\/mcp" must be an absolute/],
    [[{ url: A, drain: true }], /"drain" is not an option, did you mean "draining"/],
    [[{ url: A, draining: 1 }], /"draining" must be true or false/],
    [[{ url: A, id: '' }], /"id" must be a string of 1 to 256 characters/],
    [[{ url: A, id: 7 }], /"id" must be a string/],
    [[{ id: 'x' }], /must be an absolute http or https URL/],
    [{ list: [A] }, /"list" must be a function/],
    [{ list: () => [A], refresh: 0 }, /"refresh" must be a number of milliseconds above 0, got 0/],
    [{ list: () => [A], refesh: 1 }, /"refesh" is not an option, did you mean "refresh"/],
  ])('%p is refused, with the remedy', (source, message) => {
    expect(() => bench(source)).toThrow(message);
  });
});

describe('D10: a session is opened', () => {
  test('on each backend in turn', () => {
    const { next } = bench([A, B]);
    expect([next(), next()]).toEqual([
      [A, B],
      [B, A],
    ]);
  });

  test('on none that is down while another one is up; it is only tried last', () => {
    const { backends, next, told } = bench([A, B, C]);
    backends.find(A)?.health.failed();
    expect([next(), next(), next()]).toEqual([
      [B, C, A],
      [C, B, A],
      [B, C, A],
    ]);
    backends.find(A)?.health.connected();
    expect(new Set([next()[0], next()[0], next()[0]])).toEqual(new Set([A, B, C]));
    expect(told).toEqual([`down ${A}`, `up ${A}`]);
  });

  test('on none that is draining, by the list or by hand, while there is another one', () => {
    const { backends, next } = bench([A, { url: B, draining: true }, C]);
    backends.drain(C, true);
    expect([next()[0], next()[0]]).toEqual([A, A]);
    backends.drain(C, false);
    expect(new Set([next()[0], next()[0]])).toEqual(new Set([A, C]));
    expect(backends.list().map(({ state }) => state)).toEqual(['up', 'draining', 'up']);
  });

  test('on those that are draining if all are, and on those that are down if all are', () => {
    const draining = bench([
      { url: A, draining: true },
      { url: B, draining: true },
    ]);
    expect([draining.next(), draining.next()]).toHaveLength(2);
    expect(draining.next()).toEqual([A, B]);
    const { backends, next } = bench([A, B]);
    for (const url of [A, B]) backends.find(url)?.health.failed();
    expect([next(), next()]).toEqual([
      [A, B],
      [B, A],
    ]);
  });

  test('on those that the function is offered: the ones that are up', () => {
    const asked: unknown[] = [];
    const balance = (candidates: readonly string[]): string => {
      asked.push(candidates);
      return candidates[0] ?? '';
    };
    const { backends, next } = bench([A, B], { balance });
    backends.find(A)?.health.failed();
    expect([next(), asked]).toEqual([[B, A], [[B]]]);
  });
});

describe('backends that are discovered', () => {
  test('come and go; what was known of those that stay is kept', async () => {
    const found = discovery([A, B]);
    const { backends, told } = bench(found.source);
    backends.find(B)?.health.failed();
    found.list = [B, C];
    expect(await backends.refreshed()).toBe(true);
    expect(backends.list().map(({ url, state }) => `${url} ${state}`)).toEqual([
      `${B} down`,
      `${C} up`,
    ]);
    expect(told).toEqual([`down ${B}`, `removed ${A}`]);
  });

  test('D8: the same URL with another id is another backend', async () => {
    const found = discovery([{ url: A, id: 'one' }]);
    const { backends, told } = bench(found.source);
    backends.drain(A, true);
    found.list = [{ url: A, id: 'two' }];
    await backends.refreshed();
    expect(told).toEqual([`removed ${A}`]);
    expect([backends.find(A, 'one'), backends.find(A, 'two')?.id]).toEqual([undefined, 'two']);
    expect(backends.list()).toMatchObject([{ id: 'two', state: 'up' }]);
  });

  test('that get, or lose, their id stay who they are', async () => {
    const found = discovery([A]);
    const { backends, told } = bench(found.source);
    found.list = [{ url: A, id: 'one' }];
    await backends.refreshed();
    found.list = [{ url: A, draining: true }];
    await backends.refreshed();
    expect(backends.list()).toMatchObject([{ id: 'one', state: 'draining' }]);
    expect(told).toEqual([]);
  });

  test('stay as they are while the list cannot be had, or is none', async () => {
    const found = discovery([A]);
    const { backends, told } = bench(found.source);
    for (const wrong of [undefined, [7], [A, A], Promise.reject(new Error('the API is down'))]) {
      found.list = wrong;
      expect(await backends.refreshed()).toBe(false);
    }
    expect(backends.find(A)).toBeDefined();
    expect(told).toEqual([
      'unlisted backends: undefined: must be a list of backends',
      'unlisted backends: 7 must be an absolute http or https URL such as "http://mcp-0:8080"',
      'unlisted backends: http://a is given twice',
      'unlisted the API is down',
    ]);
  });

  test('may be none', async () => {
    const found = discovery([A]);
    const { backends, next } = bench({ list: found.source, refresh: 1000 });
    found.list = [];
    await backends.refreshed();
    expect([backends.list(), next()]).toEqual([[], []]);
  });

  test('are known when the first list is there', async () => {
    const { backends, next } = bench(async () => [A]);
    expect(next()).toEqual([]);
    await backends.ready();
    expect(next()).toEqual([A]);
  });

  test('are not known as long as it is not', async () => {
    const { backends } = bench(() => Promise.reject(new Error('the API is down')));
    await expect(backends.ready()).rejects.toMatchObject({
      code: 'no_backend',
      message: 'The backends are not known: the API is down',
    });
  });
});

test('a backend that is drained by hand must be one', () => {
  const { backends } = bench([A, B]);
  expect(() => backends.drain(C, true)).toThrow(
    'backends: http://c is not one of them; they are: http://a, http://b',
  );
  backends.drain(new URL('http://a/'), true);
  expect(backends.get('http://a/').draining).toBe(true);
});
