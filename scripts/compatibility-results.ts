import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');

export interface Count {
  readonly passed: number;
  /** Skipped ones too. */
  readonly failed: number;
}

/** What tests of one title have come to: that of a corner, of a project, or of a stack. */
export type Counts = Readonly<Record<string, Count>>;

export interface NodeResults {
  /** As the tests themselves have told it. */
  readonly node: string;
  readonly corners: Counts;
  readonly consumers: Counts;
  readonly contract: Counts;
}

export interface Results {
  readonly date: string;
  /** Versions, by where they lie in node_modules. */
  readonly packages: Readonly<Record<string, string>>;
  readonly nodes: readonly NodeResults[];
}

/** What is read of jest's JSON results. */
export interface JestResults {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
    }[];
  }[];
}

/** What the versions in the tables are called, and the packages that these are. */
export const TESTED: Readonly<Record<string, readonly string[]>> = {
  Express: ['express4', 'express'],
  'http-proxy-middleware': ['http-proxy-middleware3', 'http-proxy-middleware'],
  ioredis: ['ioredis5', 'ioredis'],
  'connect-redis': ['connect-redis', 'connect-redis10'],
  'node-redis': ['redis'],
  'SDK 1': ['@modelcontextprotocol/sdk'],
  'SDK 2, server': ['@modelcontextprotocol/server'],
  'SDK 2, client': ['@modelcontextprotocol/client'],
  'Types of Express': ['@types/express4', '@types/express'],
  TypeScript: ['typescript'],
  esbuild: ['esbuild'],
};

/** The files of tests that the tables are made of. */
export const TEST_PATHS = {
  corners: 'integration/compatibility/corners',
  consumers: 'integration/compatibility/consumers',
  contract: 'integration/contract/contract',
} as const;

export function installedVersions(): Record<string, string> {
  const names = Object.values(TESTED).flat();
  return Object.fromEntries(names.map((name) => [name, installedVersion(name)]));
}

function installedVersion(name: string): string {
  const manifest = readFileSync(path.join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Of the run under one version of Node. */
export function nodeResultsOf({ testResults }: JestResults): NodeResults {
  const titlesIn = (part: string): [string[], string][] =>
    testResults
      .filter(({ name }) => name.includes(part))
      .flatMap(({ assertionResults }) =>
        assertionResults.map(({ ancestorTitles, status }) => [[...ancestorTitles], status]),
      );
  const corners = titlesIn(TEST_PATHS.corners);
  const told = corners[0]?.[0][0] ?? '';
  return {
    node: /^Node (\d+\.\d+\.\d+)$/.exec(told)?.[1] ?? 'unknown',
    corners: countsOf(corners.map(([[, name = ''], status]) => [name, status])),
    consumers: countsOf(
      titlesIn(TEST_PATHS.consumers).map(([[, name = ''], status]) => [name, status]),
    ),
    contract: countsOf(
      titlesIn(TEST_PATHS.contract).map(([[name = ''], status]) => [
        name.replace('F7: ', ''),
        status,
      ]),
    ),
  };
}

function countsOf(tests: readonly [name: string, status: string][]): Counts {
  const counts: Record<string, { passed: number; failed: number }> = {};
  for (const [name, status] of tests) {
    const count = (counts[name] ??= { passed: 0, failed: 0 });
    count[status === 'passed' ? 'passed' : 'failed'] += 1;
  }
  return counts;
}

/** For a file: each count on a line. */
export function textOf(results: Results): string {
  const text = JSON.stringify(results, null, 2);
  return `${text.replaceAll(/\{\s+("passed": \d+),\s+("failed": \d+)\s+\}/g, '{ $1, $2 }')}\n`;
}
