// JavaScript, because Jest's globalSetup uses it and Node 20 cannot import TypeScript there.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {readonly string[]} names in the order of preference
 * @param {readonly string[]} [more] folders that are searched after those of PATH
 * @returns {string | undefined} the path of the first program found
 */
export function findProgram(names, more = []) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter).filter(Boolean), ...more];
  return names
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find(isExecutable);
}

export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Tells of a failure on standard error; whether the packages are there is for the caller to see.
 *
 * @param {readonly string[]} packages of Debian
 */
export function install(packages) {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', [...options, 'update'], { env, stdio: 'pipe' });
    const install = ['install', '-y', '--no-install-recommends', ...packages];
    execFileSync('apt-get', [...options, ...install], { env, stdio: 'pipe' });
  } catch (error) {
    console.error(String(error));
  }
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
