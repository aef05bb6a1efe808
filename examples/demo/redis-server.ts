import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DemoRedis {
  url: string;
  stop(): Promise<void>;
}

/** The Redis of `REDIS_URL`, or one of our own that keeps nothing on disk. */
export async function findRedis(): Promise<DemoRedis> {
  const url = process.env.REDIS_URL;
  if (url) {
    console.log('using the Redis of REDIS_URL');
    return { url, stop: () => Promise.resolve() };
  }
  return startRedis(findCommand(), await freePort());
}

async function startRedis(command: string, port: number): Promise<DemoRedis> {
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);

  let ready = false;
  for await (const line of createInterface({ input: child.stdout })) {
    ready = line.includes('Ready to accept connections');
    if (ready) break;
  }
  if (!ready) throw new Error(`${command} ended before it was ready`);
  child.stdout.resume();
  console.log(`started ${command} on port ${port} (REDIS_URL names another Redis)`);

  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      process.off('exit', kill);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function findCommand(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const command = ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => existsSync(file));
  if (command === undefined) {
    console.error(
      'no redis-server in PATH: install it (apt-get install redis-server) or set REDIS_URL',
    );
    process.exit(1);
  }
  return command;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
