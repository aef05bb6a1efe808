import { expect, test } from '@jest/globals';
import { isGreen, pageOf } from '../../../scripts/compatibility-page.ts';
import {
  type Counts,
  type JestResults,
  nodeResultsOf,
  type Results,
  TESTED,
  textOf,
} from '../../../scripts/compatibility-results.ts';
import { allConsumers, consumerName, consumers, PACKAGES } from '../../helpers/consumers.ts';
import {
  allCorners,
  cornerName,
  pairsOf,
  pairwiseCorners,
  type Corner,
} from '../../helpers/corners.ts';
import { allStacks } from '../../helpers/pairings.ts';

const PASSED = { passed: 2, failed: 0 };
const all = (names: readonly string[]): Counts =>
  Object.fromEntries(names.map((name) => [name, PASSED]));

const NODE = {
  node: '20.1.2',
  corners: all(allCorners.map(cornerName)),
  consumers: all(allConsumers.map(consumerName)),
  contract: all(allStacks.map(({ name }) => name)),
};
const GREEN: Results = { date: '2026-01-02', packages: { express4: '4.5.6' }, nodes: [NODE] };

const [corner] = allCorners as [Corner, ...Corner[]];

/** The rows that are not green. */
function redRows(results: Results): string[] {
  return pageOf(results)
    .split('\n')
    .filter((line) => line.includes('❌'));
}

function withCorner(count: Counts[string] | undefined): Results {
  const { [cornerName(corner)]: _, ...others } = NODE.corners;
  const corners = count ? { ...others, [cornerName(corner)]: count } : others;
  return { ...GREEN, nodes: [{ ...NODE, corners }] };
}

test('a page on which everything has passed is green, and tells versions', () => {
  expect(isGreen(GREEN)).toBe(true);
  expect(pageOf(GREEN)).toContain('| Express | 4.5.6, unknown |');
  expect(pageOf(GREEN)).toContain(`| Express 4, sessionForwarder | ✅ ${allCorners.length / 3} |`);
});

test('one test that fails turns red each cell that it counts for', () => {
  const rows = redRows(withCorner({ passed: 1, failed: 1 }));
  expect(rows.map((row) => row.split(' | ')[0])).toEqual([
    '| Express 4, http-proxy-middleware 3',
    '| MemoryStore',
    '| servers of SDK 1, clients of SDK 1',
    '| Express 4, http-proxy-middleware 3',
  ]);
  expect(rows[1]).toBe('| MemoryStore | ❌ 1 of 48 failed |');
});

test.each([
  ['is missing', undefined],
  ['has no tests', { passed: 0, failed: 0 }],
])('a corner that %s is not green', (_, count) => {
  const rows = redRows(withCorner(count));
  expect(rows).toContain('| MemoryStore | ❌ not run |');
  expect(isGreen(withCorner(count))).toBe(false);
});

test.each(['consumers', 'contract'] as const)('a run without any %s is not green', (part) => {
  expect(isGreen({ ...GREEN, nodes: [{ ...NODE, [part]: {} }] })).toBe(false);
});

test('tests are counted by the title of what they are about; what is skipped has not passed', () => {
  const jest: JestResults = {
    testResults: [
      file('integration/compatibility/corners', [
        ['passed', 'Node 20.1.2', 'a corner'],
        ['pending', 'Node 20.1.2', 'a corner'],
      ]),
      file('integration/compatibility/consumers', [['passed', 'Node 20.1.2', 'a project']]),
      file('integration/contract/contract', [['failed', 'F7: a stack']]),
    ],
  };
  expect(nodeResultsOf(jest)).toEqual({
    node: '20.1.2',
    corners: { 'a corner': { passed: 1, failed: 1 } },
    consumers: { 'a project': { passed: 1, failed: 0 } },
    contract: { 'a stack': { passed: 0, failed: 1 } },
  });
});

test('results are written with each count on a line', () => {
  expect(textOf(GREEN)).toContain(`"${cornerName(corner)}": { "passed": 2, "failed": 0 }`);
  expect(JSON.parse(textOf(GREEN))).toEqual(GREEN);
});

test('in the corners of `npm test` any two versions meet', () => {
  const met = new Set(pairwiseCorners.flatMap(pairsOf));
  expect(allCorners.flatMap(pairsOf).filter((pair) => !met.has(pair))).toEqual([]);
  expect(pairwiseCorners.length).toBeLessThanOrEqual(20);
});

test('in the projects of `npm test` each project, and the oldest and newest packages, are used', () => {
  const valuesOf = (list: typeof consumers): Set<string> =>
    new Set(list.flatMap(({ project, packages }) => [project, packages]));
  expect(valuesOf(consumers)).toEqual(valuesOf(allConsumers));
});

test('the projects use packages whose versions the page tells', () => {
  const used = Object.values(PACKAGES).flatMap(({ at }) => Object.values(at));
  const told = Object.values(TESTED).flat();
  expect(used.filter((name) => !told.includes(name) && name !== '@types/node')).toEqual([]);
});

function file(path: string, tests: readonly string[][]): JestResults['testResults'][number] {
  return {
    name: `/somewhere/__tests__/${path}.test.ts`,
    assertionResults: tests.map(([status = '', ...ancestorTitles]) => ({ status, ancestorTitles })),
  };
}
