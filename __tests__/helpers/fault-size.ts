/** Everything at the size that the project promises: `npm run test:faults`. */
export const FULL: boolean = process.env.FAULTS_FULL === '1';

/** Told where `npm run test:faults` is read. */
export function show(line: string): void {
  if (FULL) process.stderr.write(`  ${line}\n`);
}
