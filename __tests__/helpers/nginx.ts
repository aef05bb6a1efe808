import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { requireProgram } from '../../scripts/ensure-integration-tools.mjs';
import { onCleanup } from './cleanup.ts';
import { freePort } from './redis-server.ts';
import { until } from './until.ts';

/** As root it would go on as a user who may not enter the folder. */
const USER = process.getuid?.() === 0 ? 'user root;' : '';

/** Around what stands in conf.d/; all it writes is in its own folder. */
const FRAME = `
USER
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path client;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  CONF
}
`;

/** Starts a real nginx with this configuration, which says `listen 80`; resolves to its origin. */
export async function startNginx(conf: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const listening = conf.replace('listen 80;', `listen 127.0.0.1:${port};`);
    const errors = await run(
      FRAME.replace('USER', USER).replace('CONF', () => listening),
      port,
    );
    if (errors === undefined) return `http://127.0.0.1:${port}`;
    // Between finding a free port and listening on it, somebody else may have taken it.
    if (attempt === 3 || !errors.includes('Address already in use')) throw new Error(errors);
  }
}

/** What it says if it ends before it listens. */
async function run(conf: string, port: number): Promise<string | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'nginx-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, conf);
  const child = spawn(requireProgram('nginx'), ['-p', folder, '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let errors = '';
  let ended = false;
  void exited.then(() => (ended = true));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  onCleanup(async () => {
    if (ended) return;
    child.kill('SIGTERM');
    await exited;
  });
  await until(async () => ended || (await accepts(port)));
  return ended ? errors : undefined;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', (hadError) => resolve(!hadError));
  });
}
