import { afterEach } from '@jest/globals';

const jobs: (() => unknown)[] = [];

/** Runs the job after the present test, the last one first. */
export function onCleanup(job: () => unknown): void {
  jobs.push(job);
}

afterEach(async () => {
  for (const job of jobs.splice(0).toReversed()) await job();
});
