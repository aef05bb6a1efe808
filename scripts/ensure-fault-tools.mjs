// Jest's globalSetup of the fault tests: a Redis, and a clock that can be set wrong.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { install, mayInstall } from './apt.mjs';
import ensureRedis from './ensure-redis.mjs';

const REMEDY =
  'These tests set the clock of a gateway wrong with libfaketime: install it (Debian: apt-get install libfaketime).';

/** @returns {string | undefined} the path of the library to preload */
export function findFaketime() {
  const lib = '/usr/lib';
  const folders = existsSync(lib) ? readdirSync(lib).map((name) => path.join(lib, name)) : [];
  return [...folders, lib, '/usr/local/lib', '/usr/lib64']
    .map((folder) => path.join(folder, 'faketime', 'libfaketimeMT.so.1'))
    .find((file) => existsSync(file));
}

/** @returns {string} the path of the library, or throws with the remedy */
export function requireFaketime() {
  const library = findFaketime();
  if (library === undefined) throw new Error(REMEDY);
  return library;
}

export default function ensureFaultTools() {
  ensureRedis();
  if (findFaketime() === undefined && mayInstall()) {
    console.error('No libfaketime: installing the package libfaketime with apt-get');
    install(['libfaketime']);
  }
  requireFaketime();
}
