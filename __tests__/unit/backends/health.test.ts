import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Health } from '../../../src/backends/health.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

interface Bench {
  readonly health: Health;
  readonly told: string[];
  /** When the backend was probed (ms). */
  readonly probedAt: number[];
  /** What probes find. */
  readonly backend: { well: boolean };
}

function bench(connectionIsProof = true): Bench {
  const told: string[] = [];
  const probedAt: number[] = [];
  const backend = { well: false };
  const start = performance.now();
  const now = (): number => performance.now() - start;
  const health = new Health({
    async probe() {
      probedAt.push(now());
      if (!backend.well) throw new Error('not well');
    },
    connectionIsProof,
    now,
    onDown: () => void told.push('down'),
    onUp: () => void told.push('up'),
  });
  return { health, told, probedAt, backend };
}

describe('a backend', () => {
  test('is up until a connection fails, which is told once', () => {
    const { health, told } = bench();
    expect([health.isUp, health.outFor]).toEqual([true, 0]);
    health.failed();
    health.failed();
    expect([health.isUp, told]).toEqual([false, ['down']]);
  });

  test('that is down is probed after 1 s, then after twice as long each time, up to 30 s', async () => {
    const { health, probedAt } = bench();
    health.failed();
    await jest.advanceTimersByTimeAsync(100_000);
    expect(probedAt).toEqual([1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000]);
    expect(health.outFor).toBe(100_000);
  });

  test('is up again with the first probe that succeeds', async () => {
    const { health, told, backend, probedAt } = bench();
    health.failed();
    backend.well = true;
    await jest.advanceTimersByTimeAsync(5000);
    expect([health.isUp, told, probedAt]).toEqual([true, ['down', 'up'], [1000]]);
  });

  test('begins with 1 s again when it is down the next time', async () => {
    const { health, backend, probedAt } = bench();
    health.failed();
    await jest.advanceTimersByTimeAsync(8000);
    backend.well = true;
    await jest.advanceTimersByTimeAsync(10_000);
    backend.well = false;
    health.failed();
    await jest.advanceTimersByTimeAsync(1000);
    expect(probedAt).toEqual([1000, 3000, 7000, 15_000, 19_000]);
  });

  test('is up again with a connection that is made, unless it has a health path', () => {
    const [plain, withPath] = [bench(), bench(false)];
    for (const { health } of [plain, withPath]) {
      health.failed();
      health.connected();
    }
    expect([plain.health.isUp, withPath.health.isUp]).toEqual([true, false]);
    expect(plain.told).toEqual(['down', 'up']);
  });

  test('D4: that has broken off is probed at once, and is down if it is not well', async () => {
    const { health, told, probedAt } = bench();
    health.suspect();
    health.suspect();
    await jest.advanceTimersByTimeAsync(1000);
    expect([probedAt, told]).toEqual([[0, 1000], ['down']]);
  });

  test('D4: that has broken off and is well stays up', async () => {
    const { health, told, backend, probedAt } = bench();
    backend.well = true;
    health.suspect();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([probedAt, told, health.isUp]).toEqual([[0], [], true]);
  });

  test('G4: that nobody wants to know of any more is not probed, and nothing is told of it', async () => {
    const { health, told, probedAt } = bench();
    health.failed();
    health.close();
    health.suspect();
    await jest.advanceTimersByTimeAsync(60_000);
    expect([probedAt, told]).toEqual([[], ['down']]);
  });

  test('G4: a probe that is on its way when nobody wants to know any more changes nothing', async () => {
    const { health, told } = bench();
    health.suspect();
    health.close();
    await jest.advanceTimersByTimeAsync(60_000);
    health.failed();
    expect([health.isUp, told]).toEqual([true, []]);
  });
});
