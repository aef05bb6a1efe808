import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { requireProgram } from '../../scripts/ensure-integration-tools.mjs';
import { onCleanup } from '../helpers/cleanup.ts';
import { blocksIn, pageOf, ROOT } from '../helpers/markdown.ts';

// It installs all that the package is developed with.
jest.setTimeout(900_000);

const AUTHOR = '-c user.name=test -c user.email=test@localhost';
/** What is made here, or fetched: a clone has none of it. */
const MADE = new Set([
  '.git',
  'node_modules',
  'dist',
  'build',
  'coverage',
  'reports',
  '.stryker-tmp',
]);
/** Of the run that this test is part of, and of gateways. */
const NOT_OURS =
  /^(npm_(?!config_)|npm_config_local_prefix|JEST|NODE_(ENV|OPTIONS|PATH)$|INIT_CWD|BACKENDS|REDIS|HOST$|PROXY$|MCP_)/;

interface Step {
  readonly command: string;
  readonly comment: string;
}

test('the first ten minutes of a stranger go as CONTRIBUTING.md says', async () => {
  const [empty, repository] = [await temporary(), await repositoryOfThisTree()];
  let folder = empty;
  let red = 'no test was red';
  for (const { command, comment } of stepsOf(blocksIn(pageOf('CONTRIBUTING.md'))[0]?.code ?? '')) {
    if (command.startsWith('cd ')) {
      folder = path.join(folder, command.slice(3));
      continue;
    }
    const shell = startShell(command.replace('<address of this repository>', repository), folder);
    const interrupted = comment.includes('Ctrl-C') && (await interruptWhenListening(shell));
    const code = await shell.ended;
    if (comment.startsWith('red')) red = shell.output();
    const isRed = code !== 0 && !interrupted;
    if (isRed !== comment.startsWith('red'))
      throw new Error(`${command} ended with ${code}:\n${shell.output()}`);
  }
  expect(red).toMatch(/● .*A3/);
});

function stepsOf(block: string): Step[] {
  const lines = block.split('\n').filter(Boolean);
  return lines.map((line) => {
    const [command = '', comment = ''] = line.split(/ +# /);
    return { command, comment };
  });
}

interface Shell {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Its exit code; null if a signal has ended it. */
  readonly ended: Promise<number | null>;
}

/** A shell with a process group of its own, as a terminal gives it. */
function startShell(command: string, cwd: string): Shell {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (NOT_OURS.test(name)) delete env[name];
  // CI has just installed the same: the cache has all of it.
  const npm = { npm_config_prefer_offline: 'true', npm_config_audit: 'false' };
  const child = spawn('sh', ['-c', command], {
    ...{ cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...env, ...npm, PORT: '0', npm_config_update_notifier: 'false' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onCleanup(() => {
    if (child.exitCode === null && child.signalCode === null) interrupt(child, 'SIGKILL');
  });
  return { child, output: () => output, ended };
}

/** Ctrl-C reaches all that the shell has started. */
function interrupt({ pid = 0 }: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): void {
  process.kill(-pid, signal);
}

/** Whether it came so far. */
async function interruptWhenListening({ child, output, ended }: Shell): Promise<boolean> {
  while (!/^listening on .*[^]*^ {2}curl /m.test(output())) {
    const more = once(child.stdout ?? child, 'data').then(() => false);
    if (await Promise.race([more, ended.then(() => true)])) return false;
  }
  expect(output()).toMatch(/^30 of 30 calls on their own backend/m);
  interrupt(child);
  return true;
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'first-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** This tree as it is, also where it is no repository. */
async function repositoryOfThisTree(): Promise<string> {
  const git = requireProgram('git');
  const folder = await temporary();
  const isSource = (file: string): boolean => !MADE.has(path.basename(file));
  await cp(ROOT, folder, { recursive: true, filter: isSource });
  for (const command of ['init -q', 'add -A', 'commit -qm tree']) {
    const shell = startShell(`${git} ${AUTHOR} ${command}`, folder);
    if ((await shell.ended) !== 0) throw new Error(shell.output());
  }
  return folder;
}
