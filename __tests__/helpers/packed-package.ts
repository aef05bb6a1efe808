import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKED_FROM = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src'],
  ...['README.md', 'CHANGELOG.md', 'LICENSE'],
];
const run = promisify(execFile);

/** Packs the package in a copy: others may be packing it at the same time. @returns the tarball */
export async function packPackage(work: string): Promise<string> {
  const copy = path.join(work, 'package');
  await mkdir(copy);
  for (const each of PACKED_FROM) {
    await cp(path.join(ROOT, each), path.join(copy, each), { recursive: true });
  }
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  const packed = path.join(work, 'packed');
  await mkdir(packed);
  await run('npm', ['pack', '--pack-destination', packed], { cwd: copy }).catch(
    // The compiler writes its errors to stdout, which the message of the error leaves out.
    (error: Error & { stdout: string }) => {
      throw new Error(error.stdout, { cause: error });
    },
  );
  const [name = 'no tarball'] = await readdir(packed);
  return path.join(packed, name);
}

/**
 * Installs the tarball, by npm, in an empty folder. What it needs, and the `peers` that are named, are taken from here:
 * no registry is asked. @returns the folder
 */
export async function installPacked(
  work: string,
  tarball: string,
  peers: readonly string[] = [],
): Promise<string> {
  const folder = await mkdtemp(path.join(work, 'empty-'));
  const manifest = await readFile(path.join(ROOT, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: object };
  const names = [...Object.keys(dependencies), 'express', ...peers];
  const linked = names.map((name) => [name, `file:${path.join(ROOT, 'node_modules', name)}`]);
  const wanted = { 'mcp-session-routing': `file:${tarball}`, ...Object.fromEntries(linked) };
  const empty = { private: true, dependencies: wanted };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(empty));
  const quiet = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run('npm', ['install', ...quiet], { cwd: folder });
  return folder;
}
