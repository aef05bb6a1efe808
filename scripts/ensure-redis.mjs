// Jest's globalSetup. JavaScript, because Node 20 cannot import TypeScript here.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const REMEDY =
  'These tests need a real Redis: put redis-server or valkey-server in PATH (Debian: apt-get install redis-server; macOS: brew install redis).';

/** @returns {string | undefined} the path of the first Redis or Valkey server in PATH */
export function findRedisServer() {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find(isExecutable);
}

/** @returns {string} the path of a server, or throws with the remedy */
export function requireRedisServer() {
  const server = findRedisServer();
  if (server === undefined) throw new Error(REMEDY);
  return server;
}

/** Installs a Redis where it may; sets the folder in which this run's servers keep their files. */
export default function ensureRedis() {
  if (findRedisServer() === undefined) installPackage('redis-server', 'No Redis in PATH');
  requireRedisServer();
  process.env.TEST_REDIS_DIR = mkdtempSync(path.join(tmpdir(), 'test-redis-'));
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

function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs a Debian package where it may.
 * @param {string} name
 * @param {string} reason
 */
export function installPackage(name, reason) {
  if (!mayInstall()) return;
  console.error(`${reason}: installing the package ${name} with apt-get`);
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', [...options, 'update'], { env, stdio: 'pipe' });
    const install = ['install', '-y', '--no-install-recommends', name];
    execFileSync('apt-get', [...options, ...install], { env, stdio: 'pipe' });
  } catch (error) {
    console.error(String(error));
  }
}
