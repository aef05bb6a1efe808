import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const runner = path.join(root, '__tests__/conformance/runner');
const server = path.join(root, '__tests__/fixtures/conformance-server.ts');

const suites = { '0.1.16': 'conformance-0.1', '0.2.0-alpha.12': 'conformance-0.2' } as const;

export type CheckStatus = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';

export interface SuiteOptions {
  version: keyof typeof suites;
  url: string;
  /** A revision whose requirements are run, such as `2025-11-25`. @default every scenario */
  requirements?: string;
  /** Ends the run. */
  signal?: AbortSignal;
}

export interface ConformanceServer {
  readonly url: string;
  /** The backend's address without the path. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts the server that the suite can pass, in a process of its own. */
export async function startConformanceServer(
  env: { NAME?: string; REQUEST_LOG?: string } = {},
): Promise<ConformanceServer> {
  const child = spawn(process.execPath, ['--import', 'tsx', server], {
    cwd: root,
    env: { ...process.env, PORT: '0', ...env },
    // By the IPC channel the server notices when this process has died.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const url = await firstUrl(child);
  return {
    url,
    origin: new URL(url).origin,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function firstUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The conformance server has no output to read');
  for await (const line of createInterface(child.stdout)) {
    const url = /^listening on (?<url>http:\S+)$/u.exec(line)?.groups?.url;
    if (url) return url;
  }
  throw new Error('The conformance server ended before it listened');
}

/**
 * Runs the suite's server scenarios and gives the status of each check, keyed by scenario and
 * check. A check that a scenario makes several times is numbered: `scenario/check#2`.
 */
export async function runSuite(options: SuiteOptions): Promise<Map<string, CheckStatus>> {
  const { version, url, requirements, signal } = options;
  await installRunner();
  const output = await mkdtemp(path.join(tmpdir(), 'conformance-'));
  try {
    const selection = requirements ? ['--requirements', requirements] : ['--suite', 'all'];
    const log = await runNode24(
      [suitePath(version, 'dist/index.js'), 'server', '--url', url, '-o', output, ...selection],
      signal,
    );
    const checks = await readChecks(output);
    if (checks.size === 0) throw new Error(`The conformance suite ran no scenario:\n${log}`);
    return checks;
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

// The exit code tells nothing new: it is 1 as soon as one check fails.
async function runNode24(args: string[], signal?: AbortSignal): Promise<string> {
  const child = spawn(node24(), args, {
    cwd: runner,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  const [log, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return log + errors;
}

async function readChecks(output: string): Promise<Map<string, CheckStatus>> {
  const checks = new Map<string, CheckStatus>();
  for (const folder of (await readdir(output)).toSorted()) {
    const scenario = /^server-(?<name>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/u.exec(folder)?.groups?.name;
    if (!scenario) throw new Error(`Not a result of a scenario: ${folder}`);
    for (const { id, status } of await readScenario(path.join(output, folder))) {
      const key = `${scenario}/${id}`;
      let unique = key;
      for (let n = 2; checks.has(unique); n += 1) unique = `${key}#${n}`;
      checks.set(unique, status);
    }
  }
  return checks;
}

async function readScenario(folder: string): Promise<{ id: string; status: CheckStatus }[]> {
  const file = path.join(folder, 'checks.json');
  // A scenario that throws leaves an empty folder.
  if (!existsSync(file)) return [{ id: 'completed', status: 'FAILURE' }];
  return JSON.parse(await readFile(file, 'utf8')) as { id: string; status: CheckStatus }[];
}

function suitePath(version: keyof typeof suites, file: string): string {
  return path.join(runner, 'node_modules', suites[version], file);
}

function node24(): string {
  return path.join(runner, 'node_modules/node/bin/node');
}

let installed: Promise<void> | undefined;

/** Installs the suite, unless that was done before. */
export function installRunner(): Promise<void> {
  installed ??= install();
  return installed;
}

async function install(): Promise<void> {
  if (await isComplete()) return;
  process.stderr.write('Installing the conformance suite and its Node 24 (npm ci)\n');
  const child = spawn('npm', ['ci', '--prefix', runner, '--no-audit', '--no-fund'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  const [log, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (!(await isComplete())) {
    throw new Error(`The conformance suite could not be installed in ${runner}:\n${log}${errors}`);
  }
}

async function isComplete(): Promise<boolean> {
  if (!existsSync(node24())) return false;
  for (const version of Object.keys(suites) as (keyof typeof suites)[]) {
    const manifest = suitePath(version, 'package.json');
    if (!existsSync(manifest)) return false;
    const found = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    if (found.version !== version) return false;
  }
  return true;
}
