import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface LockFile {
  packages: Record<string, { version?: string; resolved?: string }>;
}

const root = new URL('../../', import.meta.url);
const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as LockFile;

// `npm audit` needs a registry that answers it; these are the versions it would ask for.
test.each([
  ['http-proxy-middleware', '4.2.1'],
  ['http-proxy-middleware3', '3.0.10'],
  // What the examples use: half-open connections are given up since 6 (`socketTimeout`).
  ['ioredis', '6.0.0'],
])('the locked %s is %s or newer', (name, least) => {
  const locked = lock.packages[`node_modules/${name}`]?.version ?? 'missing';
  expect(isAtLeast(locked, least)).toBe(true);
});

test('the lock file works with any registry', () => {
  const resolved = Object.values(lock.packages).flatMap((entry) => entry.resolved ?? []);
  expect(resolved).toEqual([]);
});

function isAtLeast(version: string, least: string): boolean {
  const [major] = least.split('.');
  const newer = version.localeCompare(least, 'en', { numeric: true }) >= 0;
  return newer && version.startsWith(`${major}.`);
}
