// Jest's globalSetup of the integration tests: a Redis, and what some of them run beside it.
import { existsSync } from 'node:fs';
import { findProgram, install, mayInstall } from './apt.mjs';
import ensureRedis from './ensure-redis.mjs';

/** Where Debian puts servers; users other than root do not have it in PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin'];

/** @param {string} name @returns {string} its path, or throws with the remedy */
export function requireProgram(name) {
  const program = findProgram([name], SBIN);
  if (program !== undefined) return program;
  throw new Error(
    `This test needs ${name}: put it in PATH (Debian: apt-get install ${name}; macOS: brew install ${name}).`,
  );
}

/** What is missing is installed where it may be; the tests that need the rest say so themselves. */
export default function ensureIntegrationTools() {
  ensureRedis();
  // Where systemd runs, the package of nginx would start it as a service.
  const wanted = existsSync('/run/systemd/system') ? ['git'] : ['git', 'nginx'];
  const missing = wanted.filter((name) => findProgram([name], SBIN) === undefined);
  if (missing.length === 0 || !mayInstall()) return;
  console.error(`Missing in PATH, installed with apt-get: ${missing.join(', ')}`);
  install(missing);
}
