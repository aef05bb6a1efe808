import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LiveStreams } from '../../../src/http/live-streams.ts';
import { received } from './received.ts';

const GET = ['GET /mcp HTTP/1.1', 'Host: x'];

async function openResponse(): Promise<Awaited<ReturnType<typeof received>>['res']> {
  return (await received(GET)).res;
}

function closed(res: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void res.once('close', resolve));
}

describe('live streams', () => {
  test('are counted until they are closed', async () => {
    const streams = new LiveStreams(() => {}, 1000);
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
    const streams = new LiveStreams(() => {}, 1000);
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
    const streams = new LiveStreams(() => {}, 1000);
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

  test('each session with a stream is kept alive once an interval, until its last stream is closed', async () => {
    const kept: string[] = [];
    const streams = new LiveStreams((key) => kept.push(key), 100);
    const [one, two, other] = [await openResponse(), await openResponse(), await openResponse()];
    streams.add('a', one);
    streams.add('a', two);
    streams.add('b', other);
    jest.advanceTimersByTime(250);
    expect(kept).toEqual(['a', 'b', 'a', 'b']);
    streams.end('b');
    one.destroy();
    await Promise.all([closed(one), closed(other)]);
    jest.advanceTimersByTime(100);
    expect(kept).toEqual(['a', 'b', 'a', 'b', 'a']);
    two.destroy();
    await closed(two);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('an interval longer than a timer can be is none of no time at all', async () => {
    const kept: string[] = [];
    const streams = new LiveStreams((key) => kept.push(key), 1e12);
    streams.add('a', await openResponse());
    jest.advanceTimersByTime(1000);
    expect(kept).toEqual([]);
    streams.close();
  });
});
