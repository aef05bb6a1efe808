import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { RedisStore } from '../../../src/index.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { FULL, show } from '../../helpers/e2e-runs.ts';
import { createTask, type Poll, pollTask } from '../../helpers/e2e-tasks.ts';
import { gateway } from '../../helpers/gateway.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { connect, ready } from '../stores/redis-fixture.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

const TASKS = FULL ? 200 : 40;
const POLLS = 5;

interface Run {
  readonly backends: Backends;
  /** Two gateways on one Redis. */
  readonly urls: readonly string[];
  readonly tasks: readonly string[];
}

async function start(): Promise<Run> {
  const backends = await startBackends('every era');
  onCleanup(() => backends.stop());
  const prefix = `${randomUUID()}:`;
  const urls: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const client = await ready(connect(await sharedRedisUrl()));
    const options = { backends: [...backends.origins.values()], affinity: { tasks: true } };
    const { url } = await gateway({ store: new RedisStore({ client, prefix }), options });
    urls.push(`${url}/mcp`);
  }
  const created = Array.from({ length: TASKS }, (_, index) => createTask(urls[index % 2] ?? ''));
  return { backends, urls, tasks: await Promise.all(created) };
}

/** Each task is asked for so many times, at both gateways in turns. */
async function poll({ urls }: Run, tasks: readonly string[], times: number): Promise<Poll[]> {
  const polls = await Promise.all(
    tasks.map(async (task, index) => {
      const answers: Poll[] = [];
      for (let time = 0; time < times; time += 1) {
        answers.push(await pollTask(urls[(index + time) % 2] ?? '', task));
      }
      return answers;
    }),
  );
  return polls.flat();
}

describe(`${TASKS} tasks on three servers, two gateways on one Redis`, () => {
  it('all polls reach the owner of their task, whichever gateway they go through', async () => {
    const run = await start();
    const polls = await poll(run, run.tasks, POLLS);
    const { owners, ownCalls, astray } = judge(run.backends.history());
    expect(polls.filter(({ status }) => status !== 200)).toEqual([]);
    expect([ownCalls(run.tasks, 'tasks/get'), astray]).toEqual([TASKS * POLLS, []]);
    expect(new Set(run.tasks.map((task) => owners.get(task)))).toEqual(new Set('abc'));
    show(`tasks: ${ownCalls(run.tasks, 'tasks/get')} of ${TASKS * POLLS} polls at the owner`);
  });

  it('of an owner that was killed the tasks are lost, and all others go on', async () => {
    const run = await start();
    const { owners } = judge(run.backends.history());
    const lost = run.tasks.filter((task) => owners.get(task) === 'b');
    await run.backends.kill('b');
    const polls = await poll(run, run.tasks, 2);
    const refused = polls.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ task }) => task))).toEqual(new Set(lost));
    expect(refused).toHaveLength(2 * lost.length);
    for (const { status, body } of refused) {
      expect([status, body]).toEqual([404, expect.stringMatching(/-32602.*"task_lost"/)]);
    }
    expect(judge(run.backends.history()).astray).toEqual([]);
    show(
      `owner killed: ${lost.length} tasks lost, told so ${refused.length} times, others unaffected`,
    );
  });
});
