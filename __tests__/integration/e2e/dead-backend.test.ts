import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, createFleet, openAll, post, show, SIZE, TOTAL } from '../../helpers/e2e-runs.ts';
import { Worker } from '../../helpers/e2e-workers.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';

jest.setTimeout(120_000);

const VICTIM = 'b';

let backends: Backends;

beforeEach(async () => {
  backends = await startBackends('SDK v1');
});

afterEach(() => backends.stop());
afterAll(killChildren);

describe.each<[string, () => Promise<Record<string, string>>]>([
  ['memory', () => Promise.resolve({})],
  ['Redis', async () => ({ REDIS_URL: await sharedRedisUrl() })],
])(
  `one of three servers is killed while ${SIZE.clients} clients work, store: %s`,
  (store, settings) => {
    it('its sessions start again, the others notice nothing, and no call is executed twice', async () => {
      const { url } = await startGateway({ BACKENDS: backends.list, ...(await settings()) });
      const running = await startCallOnVictim(url);
      const workers = Array.from(
        { length: SIZE.clients },
        (_, index) => new Worker(index % 2 === 0 ? 'SDK v1' : 'SDK v2', url),
      );
      await Promise.all(workers.map((worker) => worker.open()));

      let killed: Promise<unknown> | undefined;
      let answered = 0;
      function onAnswer(): void {
        answered += 1;
        if (answered > TOTAL / 3) killed ??= backends.kill(VICTIM);
      }
      await Promise.all(workers.map((worker) => worker.work(SIZE.calls, onAnswer)));
      await killed;
      // The gateway hears of the death a moment later than the test.
      const noticedAt = Math.min(...workers.map(({ lostAt }) => lostAt));
      await Promise.all(workers.map((worker) => worker.close()));

      // What was running is broken off, never ended cleanly; the next request of that session is 404.
      await expect(running.response.text()).rejects.toThrow('terminated');
      const next = await post(url, running.session);
      expect([next.status, await next.text()]).toEqual([
        404,
        expect.stringContaining('"code":-32001'),
      ]);

      const history = backends.history();
      const { owners, astray, repeated } = judge(history);
      const lost = workers.flatMap((worker) => worker.lost);
      const failures = workers.flatMap((worker) => worker.failures);
      const inFlight = failures.filter(({ status }) => status !== 404);
      expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
      expect(
        history.filter((entry) => entry.kind === 'executed' && entry.nonce === running.nonce),
      ).toHaveLength(1);
      expect(failures.filter(({ session }) => owners.get(session) !== VICTIM)).toEqual([]);
      const late = inFlight.filter(({ status, sentAt }) => status !== 502 || sentAt > noticedAt);
      expect(late).toEqual([]);
      expect(new Set(inFlight.map(({ session }) => session)).size).toBe(inFlight.length);
      expect(new Set(lost.map((session) => owners.get(session)))).toEqual(new Set([VICTIM]));
      expect(answered).toBe(TOTAL);
      show(
        `kill -9 of one server, ${store}: ${lost.length} of ${SIZE.clients} sessions were told 404 and ` +
          `started again, ${inFlight.length} calls in flight got 502, no other session saw an error, ` +
          `${answered} of ${TOTAL} calls answered, none executed twice`,
      );
    });
  },
);

/** A call that does not end by itself, and has reached its tool. */
async function startCallOnVictim(
  url: string,
): Promise<{ session: string; nonce: string; response: Response }> {
  const fleet = createFleet(3, url);
  const sessions = await openAll(fleet);
  const { owners } = judge(backends.history());
  const session = sessions.find((id) => owners.get(id) === VICTIM) ?? '';
  await closeAll(fleet);
  const nonce = randomUUID();
  const call = { method: 'tools/call', params: { name: 'hang', arguments: { nonce } } };
  return { session, nonce, response: await post(url, session, call) };
}
