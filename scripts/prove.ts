// Breaks the promises of this package one at a time, in copies of the tree, and shows which test notices.
// `npm run prove`, or `npm run prove -- A5 B1` for some of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { proofs, type Proof } from './proofs.ts';

const ROOT = path.join(import.meta.dirname, '..');
/** Copies that are worked on at the same time. */
const LANES = 2;
/** What hangs is broken as well (ms); the longest test waits for a connection for 2 s, twice. */
const TEST_TIMEOUT = 10_000;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** Files that could not be loaded. */
  readonly unloaded: number;
}

type Verdict = 'red' | 'GREEN' | 'NO SUCH TEXT' | 'NO SUCH TEST' | 'DOES NOT LOAD';

const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? proofs : proofs.filter(({ id }) => wanted.includes(id));
const folder = await mkdtemp(path.join(tmpdir(), 'prove-'));
try {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => copyTree(lane)));
  console.log(`${chosen.length} changes; first the tests as they are`);
  if (await areGreen(lanes[0] ?? ROOT)) await prove(lanes);
  else process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function copyTree(lane: number): Promise<string> {
  const copy = path.join(folder, String(lane));
  await mkdir(copy);
  for (const name of [
    'src',
    '__tests__',
    'scripts',
    'jest.config.ts',
    'package.json',
    'tsconfig.json',
  ]) {
    await cp(path.join(ROOT, name), path.join(copy, name), {
      recursive: true,
      filter: (source) => path.basename(source) !== 'node_modules',
    });
  }
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  return copy;
}

async function areGreen(copy: string): Promise<boolean> {
  let green = true;
  for (const test of new Set(chosen.map((proof) => proof.test))) {
    const titles = chosen.filter((proof) => proof.test === test).map(({ title }) => title);
    const { passed, failed, unloaded } = await runTests(copy, test, titles);
    console.log(`  ${test}: ${passed} passed, ${failed} failed`);
    green &&= passed > 0 && failed === 0 && unloaded === 0;
  }
  return green;
}

async function prove(lanes: readonly string[]): Promise<void> {
  const waiting = [...chosen];
  let green = 0;
  await Promise.all(
    lanes.map(async (copy) => {
      for (let proof = waiting.shift(); proof; proof = waiting.shift()) {
        const verdict = await verdictOn(copy, proof);
        if (verdict !== 'red') green += 1;
        console.log(rowOf(proof, verdict));
      }
    }),
  );
  console.log(`${chosen.length - green} of ${chosen.length} changes turn their test red`);
  if (green > 0) process.exitCode = 1;
}

async function verdictOn(copy: string, proof: Proof): Promise<Verdict> {
  const file = path.join(copy, proof.file);
  const source = await readFile(file, 'utf8');
  if (source.split(proof.find).length !== 2) return 'NO SUCH TEXT';
  await writeFile(
    file,
    source.replace(proof.find, () => proof.replace),
  );
  try {
    const { passed, failed, unloaded } = await runTests(copy, proof.test, [proof.title]);
    if (unloaded > 0) return 'DOES NOT LOAD';
    if (passed + failed === 0) return 'NO SUCH TEST';
    return failed > 0 ? 'red' : 'GREEN';
  } finally {
    await writeFile(file, source);
  }
}

async function runTests(copy: string, test: string, titles: readonly string[]): Promise<Outcome> {
  const output = path.join(copy, 'result.json');
  const pattern = titles.map((title) => title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const args = [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['node_modules/jest/bin/jest.js', '--runTestsByPath', test, '--testNamePattern', pattern],
    ...['--testTimeout', String(TEST_TIMEOUT), '--runInBand', '--forceExit', '--silent'],
    ...['--json', '--outputFile', output],
  ];
  await rm(output, { force: true });
  await once(spawn(process.execPath, args, { cwd: copy, stdio: 'ignore' }), 'close');
  // A change that ends the whole process is noticed, too.
  const written = await readFile(output, 'utf8').catch(() => '{"numFailedTests":1}');
  const result = JSON.parse(written) as Record<string, number>;
  return {
    passed: result['numPassedTests'] ?? 0,
    failed: result['numFailedTests'] ?? 0,
    unloaded: result['numRuntimeErrorTestSuites'] ?? 0,
  };
}

function rowOf(proof: Proof, verdict: Verdict): string {
  const change = `${shown(proof.find)} -> ${shown(proof.replace) || 'nothing'}`;
  const name = `${path.basename(proof.test)} "${proof.title}"`;
  return `${verdict.padEnd(6)} ${proof.id.padEnd(4)} ${proof.file}: ${change}\n            ${name}`;
}

function shown(code: string): string {
  return code.trim().replaceAll(/\s+/g, ' ');
}
