// Jest's globalTeardown: ends the servers of this run that no test stopped.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

export default function stopRedis() {
  const folder = process.env.TEST_REDIS_DIR;
  if (folder === undefined) return;
  for (const name of readdirSync(folder)) {
    const pidFile = path.join(folder, name, 'redis.pid');
    if (existsSync(pidFile)) kill(Number(readFileSync(pidFile, 'utf8')));
  }
  rmSync(folder, { recursive: true, force: true });
  delete process.env.TEST_REDIS_DIR;
}

/** @param {number} pid */
function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended on its own.
  }
}
