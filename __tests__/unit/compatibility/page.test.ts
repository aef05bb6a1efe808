import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { isGreen, PAGE, pageOf, readResults } from '../../../scripts/compatibility-page.ts';
import { TESTED } from '../../../scripts/compatibility-results.ts';
import { NODE_MAJORS } from '../../../scripts/nodes.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const results = readResults();

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as LockFile;
const minorOf = (version = 'none'): string => version.split('.').slice(0, 2).join('.');

test('docs/compatibility.md is what came of the last run of `npm run check:compatibility`', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(pageOf(results));
});

test('all of it is green', () => {
  expect(isGreen(results)).toBe(true);
});

test('it was run under every version of Node', () => {
  expect(results.nodes.map(({ node }) => node.split('.')[0])).toEqual(NODE_MAJORS);
});

// If this fails: the versions have changed since, run `npm run check:compatibility`.
test.each(Object.values(TESTED).flat())('%s was tested in the version that is locked', (name) => {
  const locked = lock.packages[`node_modules/${name}`]?.version;
  expect(minorOf(results.packages[name])).toBe(minorOf(locked));
});

test.each([
  ['express4', '4'],
  ['express', '5'],
  ['http-proxy-middleware3', '3'],
  ['http-proxy-middleware', '4'],
  ['ioredis5', '5'],
  ['ioredis', '6'],
  ['connect-redis', '8'],
  ['connect-redis10', '10'],
  ['@modelcontextprotocol/sdk', '1'],
  ['@modelcontextprotocol/server', '2'],
  ['@modelcontextprotocol/client', '2'],
])('%s, which the page calls version %s, was one', (name, major) => {
  expect(results.packages[name]?.split('.')[0]).toBe(major);
});
