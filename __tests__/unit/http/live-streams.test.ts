import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LiveStreams } from '../../../src/http/live-streams.ts';
import { newRecord } from '../../../src/store/record.ts';
import type { Lookup } from '../../../src/store/session-directory.ts';
import type { Awaitable } from '../../../src/store/session-store.ts';
import { received } from './received.ts';

const LIVE: Lookup = {
  kind: 'live',
  record: newRecord({ key: 'a', nonce: 'n', backendUrl: undefined, path: '/mcp' }),
};

/** Streams that look each session up and find it alive. */
function noting(interval: number): { streams: LiveStreams; asked: string[] } {
  const asked: string[] = [];
  const lookup = (key: string): Lookup => {
    asked.push(key);
    return LIVE;
  };
  return { streams: new LiveStreams(lookup, interval), asked };
}

const GET = ['GET /mcp HTTP/1.1', 'Host: x'];

async function openResponse(): Promise<Awaited<ReturnType<typeof received>>['res']> {
  return (await received(GET)).res;
}

function closed(res: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void res.once('close', resolve));
}

describe('live streams', () => {
  test('are counted until they are closed', async () => {
    const streams = new LiveStreams(() => LIVE, 1000);
    const [one, two, other] = [await openResponse(), await openResponse(), await openResponse()];
    streams.add('a', one);
    streams.add('a', two);
    streams.add('b', other);
    expect(streams.size).toBe(3);
    one.end();
    await closed(one);
    expect(streams.size).toBe(2);
    streams.close();
    await Promise.all([closed(two), closed(other)]);
    expect(streams.size).toBe(0);
  });

  test('C6: of a session that ends are closed, those of others are not', async () => {
    const streams = new LiveStreams(() => LIVE, 1000);
    const [one, two, other] = [await openResponse(), await openResponse(), await openResponse()];
    streams.add('a', one);
    streams.add('a', two);
    streams.add('b', other);
    streams.end('a');
    streams.end('never');
    expect([one.destroyed, two.destroyed, other.destroyed]).toEqual([true, true, false]);
    streams.close();
  });

  test('are not counted if the client had left before', async () => {
    const streams = new LiveStreams(() => LIVE, 1000);
    const res = await openResponse();
    res.destroy();
    streams.add('a', res);
    expect(streams.size).toBe(0);
  });
});

describe('B8: as time goes by', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('each session with a stream is looked up once an interval, until its last stream is closed', async () => {
    const { streams, asked } = noting(100);
    const [one, two, other] = [await openResponse(), await openResponse(), await openResponse()];
    streams.add('a', one);
    streams.add('a', two);
    streams.add('b', other);
    asked.length = 0;
    jest.advanceTimersByTime(250);
    expect(asked).toEqual(['a', 'b', 'a', 'b']);
    streams.end('b');
    one.destroy();
    await Promise.all([closed(one), closed(other)]);
    jest.advanceTimersByTime(100);
    expect(asked).toEqual(['a', 'b', 'a', 'b', 'a']);
    two.destroy();
    await closed(two);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('an interval longer than a timer can be is none of no time at all', async () => {
    const { streams, asked } = noting(1e12);
    streams.add('a', await openResponse());
    jest.advanceTimersByTime(1000);
    expect(asked).toEqual(['a']);
    streams.close();
  });
});

describe('C6: a session that is found to be over', () => {
  test.each<[string, Awaitable<Lookup>]>([
    ['ended', { kind: 'ended' }],
    ['unknown', { kind: 'unknown' }],
    ['ended, as a remote store says', Promise.resolve({ kind: 'ended' })],
  ])('is broken off when a stream of it begins: %s', async (_how, found) => {
    const res = await openResponse();
    new LiveStreams(() => found, 1000).add('a', res);
    await closed(res);
    expect(res.destroyed).toBe(true);
  });

  test('is broken off when it is looked up again', async () => {
    let found: Lookup = LIVE;
    const streams = new LiveStreams(() => found, 1);
    const res = await openResponse();
    streams.add('a', res);
    expect(res.destroyed).toBe(false);
    found = { kind: 'ended' };
    await closed(res);
    expect(streams.size).toBe(0);
  });

  test.each<[string, () => Awaitable<Lookup>]>([
    ['is out of order', () => ({ kind: 'unavailable' })],
    ['rejects', () => Promise.reject(new Error('out of order'))],
    [
      'throws',
      () => {
        throw new Error('out of order');
      },
    ],
  ])('G2: it is not when the store %s', async (_how, lookup) => {
    const streams = new LiveStreams(lookup, 1000);
    const res = await openResponse();
    streams.add('a', res);
    await new Promise((resolve) => setImmediate(resolve));
    expect(res.destroyed).toBe(false);
    streams.close();
  });
});
