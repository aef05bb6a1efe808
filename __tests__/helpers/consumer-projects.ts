import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { onCleanup } from './cleanup.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = path.join(ROOT, 'node_modules');
const PROJECTS = path.join(ROOT, '__tests__/fixtures/consumers');
const run = promisify(execFile);

/** The packages that a project installs beside the tarball, and where they lie in node_modules here. */
export type Packages = Readonly<Record<string, string>>;

/** A copy of a project of `fixtures/consumers`, in which npm has installed the tarball; no registry is asked. */
export async function installedProject(
  work: string,
  { name, tarball, packages }: { name: string; tarball: string; packages: Packages },
): Promise<string> {
  const folder = await mkdtemp(path.join(work, `${name}-`));
  await cp(path.join(PROJECTS, name), folder, { recursive: true });
  const file = path.join(folder, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as object;
  const { dependencies: own } = JSON.parse(
    await readFile(path.join(ROOT, 'package.json'), 'utf8'),
  ) as { dependencies: object };
  const linked = {
    ...Object.fromEntries(Object.keys(own).map((each) => [each, each])),
    ...packages,
  };
  const dependencies = {
    'mcp-session-routing': `file:${tarball}`,
    ...Object.fromEntries(
      Object.entries(linked).map(([each, at]) => [each, `file:${path.join(MODULES, at)}`]),
    ),
  };
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }));
  // Strict: that a version is outside of what the package says it works with is an error.
  const flags = ['--offline', '--strict-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'];
  await said(run('npm', ['install', '--no-package-lock', ...flags], { cwd: folder }));
  return folder;
}

/** Compiles a project with the compiler of this repository, or throws what that says. */
export async function compileProject(folder: string): Promise<void> {
  await said(run(process.execPath, [path.join(MODULES, 'typescript/bin/tsc'), '-p', folder]));
}

/** Puts a program and all that it imports into one file, in a folder from where nothing can be imported. */
export async function bundleProject(work: string, entry: string): Promise<string> {
  const outfile = path.join(await mkdtemp(path.join(work, 'bundle-')), 'gateway.cjs');
  await build({
    ...{ entryPoints: [entry], outfile, logLevel: 'silent' },
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20.19' },
  });
  return outfile;
}

/** Runs a gateway that tells its address; it is stopped after the test. */
export async function startProgram(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<{ url: string }> {
  const child = fork(file, {
    ...{ cwd: path.dirname(file), execArgv: [], stdio: 'pipe' },
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  onCleanup(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(child, 'close').then((): never => {
    throw new Error(`${file} has ended:\n${output}`);
  });
  ended.catch(() => {});
  const [address] = (await Promise.race([once(child, 'message'), ended])) as [AddressInfo];
  return { url: `http://127.0.0.1:${address.port}` };
}

/** What a program has printed is told with its failure: the compiler writes its errors to stdout. */
async function said(program: Promise<unknown>): Promise<void> {
  await program.catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}${error.stderr}`, { cause: error });
  });
}
