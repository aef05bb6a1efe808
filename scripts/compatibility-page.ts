import { readFileSync } from 'node:fs';
import path from 'node:path';
import { allConsumers, consumerName } from '../__tests__/helpers/consumers.ts';
import {
  allCorners,
  type Corner,
  cornerName,
  EXPRESSES,
  gatewayName,
  PROXIES,
  SDKS,
  sdkName,
  STORES,
} from '../__tests__/helpers/corners.ts';
import { allStacks } from '../__tests__/helpers/pairings.ts';
import { type Count, type Counts, type Results, TESTED } from './compatibility-results.ts';

const DOCS = path.join(import.meta.dirname, '..', 'docs');

export const PAGE: string = path.join(DOCS, 'compatibility.md');
export const RESULTS: string = path.join(DOCS, 'compatibility.json');

const GATEWAYS = EXPRESSES.flatMap((express) => PROXIES.map((proxy) => ({ express, proxy })));
const SDK_PAIRS = SDKS.flatMap((server) => SDKS.map((client) => ({ server, client })));

export function readResults(): Results {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;
}

export function pageOf(results: Results): string {
  const { date, nodes } = results;
  const heads = nodes.map(({ node }) => `Node ${node}`);
  return `# Compatibility

Made by \`npm run check:compatibility\` on ${date}, and not by hand: every version and every number is of that run, in [compatibility.json](compatibility.json). A cell is the number of tests that have passed; it is green only if all tests of it were run, and none has failed. A test fails when this page is not that of the newest results, or when these are of other versions than package-lock.json has.

${table(['', 'versions'], versionRows(results))}

## Corners

Two gateways on one store, real servers and clients of the official SDKs, and in each of the ${allCorners.length} combinations: sessions are opened, pinned through either gateway, streamed, asked by their server, and ended. Each row is of all combinations that its name is in.

${table(['', ...heads], cornerRows(results))}

Gateways and stores, under all of these versions of Node:

${table(['', ...STORES], storeRows(results))}

## Contract

Every request that the contract of this package tells of, and its answer.

${table(
  ['', ...heads],
  allStacks.map(({ name }) => [name, ...nodes.map(({ contract }) => cellOf([contract[name]]))]),
)}

## Projects that use the package

The package as it is published, in a project of its own: installed by npm, which checks the versions that it asks for, compiled, and run.

${table(
  ['', ...heads],
  allConsumers
    .map(consumerName)
    .map((name) => [name, ...nodes.map(({ consumers }) => cellOf([consumers[name]]))]),
)}
`;
}

/** Whether every cell of the page is green. */
export function isGreen(results: Results): boolean {
  return !pageOf(results).includes(RED);
}

const GREEN = '✅';
const RED = '❌';

function cellOf(counts: readonly (Count | undefined)[]): string {
  const complete =
    counts.length > 0 && counts.every((each) => each && each.passed + each.failed > 0);
  if (!complete) return `${RED} not run`;
  const sum = (what: keyof Count): number =>
    counts.reduce((total, each) => total + (each?.[what] ?? 0), 0);
  const [passed, failed] = [sum('passed'), sum('failed')];
  return failed === 0 ? `${GREEN} ${passed}` : `${RED} ${failed} of ${passed + failed} failed`;
}

/** The corners that are in `counts`, or should be, and fit. */
function cornersCell(all: readonly Counts[], fits: (corner: Corner) => boolean): string {
  const names = allCorners.filter(fits).map(cornerName);
  return cellOf(all.flatMap((counts) => names.map((name) => counts[name])));
}

function versionRows({ nodes, packages }: Results): string[][] {
  const rows = Object.entries(TESTED).map(([name, installed]) => [
    name,
    installed.map((each) => packages[each] ?? 'unknown').join(', '),
  ]);
  return [['Node', nodes.map(({ node }) => node).join(', ')], ...rows];
}

function cornerRows({ nodes }: Results): string[][] {
  const row = (name: string, fits: (corner: Corner) => boolean): string[] => [
    name,
    ...nodes.map(({ corners }) => cornersCell([corners], fits)),
  ];
  return [
    ...GATEWAYS.map((each) => row(gatewayName(each), (corner) => isOf(corner, each))),
    ...STORES.map((store) => row(store, (corner) => corner.store === store)),
    ...SDK_PAIRS.map((each) => row(sdkName(each), (corner) => isOf(corner, each))),
  ];
}

function storeRows({ nodes }: Results): string[][] {
  const all = nodes.map(({ corners }) => corners);
  return GATEWAYS.map((each) => [
    gatewayName(each),
    ...STORES.map((store) => cornersCell(all, (corner) => isOf(corner, { ...each, store }))),
  ]);
}

function isOf(corner: Corner, part: Partial<Corner>): boolean {
  return Object.entries(part).every(([what, value]) => Reflect.get(corner, what) === value);
}

function table(head: readonly string[], rows: readonly string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
