import { afterAll, afterEach } from '@jest/globals';

type Job = () => unknown;

const jobs: Job[] = [];
const last: Job[] = [];

/** Runs the job after the present test, the last one first. */
export function onCleanup(job: Job): void {
  jobs.push(job);
}

/** What is started here, for `beforeAll`, is cleaned up after the last test of the file. */
export async function startForAll<T>(start: () => Promise<T>): Promise<T> {
  const before = jobs.length;
  try {
    return await start();
  } finally {
    last.push(...jobs.splice(before));
  }
}

async function run(list: Job[]): Promise<void> {
  for (const job of list.splice(0).toReversed()) await job();
}

afterEach(() => run(jobs));
afterAll(() => run(last));
