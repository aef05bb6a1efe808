// Jest's globalSetup. JavaScript, because Node 20 cannot import TypeScript here.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram, install, mayInstall } from './apt.mjs';

const REMEDY =
  'These tests need a real Redis: put redis-server or valkey-server in PATH (Debian: apt-get install redis-server; macOS: brew install redis).';

/** @returns {string | undefined} the path of the first Redis or Valkey server in PATH */
export function findRedisServer() {
  return findProgram(['redis-server', 'valkey-server']);
}

/** @returns {string} the path of a server, or throws with the remedy */
export function requireRedisServer() {
  const server = findRedisServer();
  if (server === undefined) throw new Error(REMEDY);
  return server;
}

/** Installs a Redis where it may; sets the folder in which this run's servers keep their files. */
export default function ensureRedis() {
  if (findRedisServer() === undefined && mayInstall()) {
    console.error('No Redis in PATH: installing the package redis-server with apt-get');
    install(['redis-server']);
  }
  requireRedisServer();
  process.env.TEST_REDIS_DIR = mkdtempSync(path.join(tmpdir(), 'test-redis-'));
}
