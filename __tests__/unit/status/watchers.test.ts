import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MOST_WATCHERS, Watchers } from '../../../src/status/watchers.ts';
import { received, type Received } from '../http/received.ts';

interface Watching extends Received {
  /** The events that have come, as they were written. */
  readonly events: () => string[];
}

async function watching(watchers: Watchers): Promise<Watching> {
  const request = await received(['GET /events HTTP/1.1', 'Host: x']);
  let text = '';
  request.client.on('data', (chunk) => (text += String(chunk)));
  expect(watchers.add(request.res)).toBe(true);
  return { ...request, events: () => text.match(/(?<=^data: ).*$/gm) ?? [] };
}

/** Lets what was written arrive. */
const arrived = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function after(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await arrived();
}

function counting(text = ''): { watchers: Watchers; asked: () => number } {
  let asked = 0;
  const snapshot = (): string => {
    asked += 1;
    return `${asked}${text}`;
  };
  return { watchers: new Watchers({ snapshot }), asked: () => asked };
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

describe('whoever watches', () => {
  test('is shown how things are at once, and then each second', async () => {
    const { watchers } = counting();
    const { events } = await watching(watchers);
    await arrived();
    expect(events()).toEqual(['"1"']);
    await after(2000);
    expect(events()).toEqual(['"1"', '"2"', '"3"']);
    watchers.close();
  });

  test('shares one timer, and one snapshot, with all others', async () => {
    const { watchers, asked } = counting();
    await watching(watchers);
    const { events } = await watching(watchers);
    expect(jest.getTimerCount()).toBe(1);
    await after(1000);
    expect(asked()).toBe(3);
    expect(events()).toEqual(['"2"', '"3"']);
    watchers.close();
  });

  test('and leaves takes the timer along: nothing is done while nobody watches', async () => {
    const { watchers, asked } = counting();
    const [one, other] = [await watching(watchers), await watching(watchers)];
    one.leave();
    await once(one.res, 'close');
    expect([watchers.size, jest.getTimerCount()]).toEqual([1, 1]);
    other.leave();
    await once(other.res, 'close');
    expect([watchers.size, jest.getTimerCount()]).toEqual([0, 0]);
    const before = asked();
    watchers.tick();
    expect(asked()).toBe(before);
    await watching(watchers);
    expect(jest.getTimerCount()).toBe(1);
    watchers.close();
  });

  test('is slow gets the newest snapshot when it reads again, and none of those between', async () => {
    const { watchers } = counting(`.${'x'.repeat(100_000)}`);
    const { client, events } = await watching(watchers);
    await arrived();
    client.pause();
    for (let second = 0; second < 10; second += 1) await after(1000);
    client.resume();
    while (events().length < 2) await arrived();
    await after(1000);
    while (events().length < 3) await arrived();
    expect(events().map((event) => /\d+/.exec(event)?.[0])).toEqual(['1', '2', '12']);
    watchers.close();
  });

  test('takes nothing for half a minute is given up', async () => {
    const { watchers } = counting('x'.repeat(100_000));
    const { client, res } = await watching(watchers);
    client.pause();
    for (let second = 0; second < 30; second += 1) await after(1000);
    expect(watchers.size).toBe(1);
    const closed = once(res, 'close');
    await after(1000);
    await closed;
    expect(watchers.size).toBe(0);
  });

  test('has to come again after a quarter of an hour, to be let in again', async () => {
    const { watchers } = counting();
    const { res, events } = await watching(watchers);
    for (let second = 1; second < 900; second += 1) await after(1000);
    expect([res.writableEnded, events().length]).toEqual([false, 900]);
    await after(1000);
    expect(res.writableEnded).toBe(true);
  });

  test('and has not taken a snapshot each second is counted no less', async () => {
    const { watchers } = counting('x'.repeat(100_000));
    const { client, res, events } = await watching(watchers);
    client.pause();
    for (let second = 1; second < 900; second += 1) {
      await after(1000);
      if (second % 20 !== 0) continue;
      const before = events().length;
      client.resume();
      while (events().length === before) await arrived();
      client.pause();
    }
    expect([res.writableEnded, res.destroyed, watchers.size]).toEqual([false, false, 1]);
    await after(1000);
    expect(res.writableEnded || res.destroyed).toBe(true);
    watchers.close();
  });

  test('has left before, or waits for another answer on its connection, takes no place', async () => {
    const { watchers } = counting();
    const gone = await received(['GET /events HTTP/1.1', 'Host: x']);
    gone.leave();
    await once(gone.res, 'close');
    expect(watchers.add(gone.res)).toBe(false);
    const queued = new ServerResponse(gone.req);
    expect(watchers.add(queued)).toBe(false);
    expect([watchers.size, jest.getTimerCount()]).toEqual([0, 0]);
  });

  test('is one too many is sent away', async () => {
    const { watchers } = counting();
    for (let count = 0; count < MOST_WATCHERS; count += 1) await watching(watchers);
    const { res } = await received(['GET /events HTTP/1.1', 'Host: x']);
    expect(watchers.add(res)).toBe(false);
    watchers.close();
  });

  test('G4: is let go when the gateway closes, and nobody is let in any more', async () => {
    const { watchers } = counting();
    const { res } = await watching(watchers);
    const closed = once(res, 'close');
    watchers.close();
    await closed;
    expect([watchers.size, jest.getTimerCount()]).toEqual([0, 0]);
    const { res: late } = await received(['GET /events HTTP/1.1', 'Host: x']);
    expect(watchers.add(late)).toBe(false);
  });

  test('G4: and takes nothing is not waited for when the gateway closes', async () => {
    const { watchers } = counting('x'.repeat(100_000));
    const { client, res } = await watching(watchers);
    client.pause();
    await after(1000);
    const closed = once(res, 'close');
    watchers.close();
    await closed;
    expect(res.writableFinished).toBe(false);
  });
});
