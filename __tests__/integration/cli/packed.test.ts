import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { onCleanup } from '../../helpers/cleanup.ts';
import { backendFlags, NO_VARIABLES } from '../../helpers/command-line.ts';
import { startBackends, type Backends } from '../../helpers/e2e-backends.ts';
import { installPacked, packPackage } from '../../helpers/packed-package.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';
import { tcpBalancer } from '../../helpers/tcp-balancer.ts';

let work: string;
let tarball: string;
/** An empty folder in which the package was installed, without its optional peers. */
let folder: string;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'packed-cli-'));
  tarball = await packPackage(work);
  folder = await installPacked(work, tarball);
});

afterAll(() => rm(work, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: unknown; readonly out: string; readonly err: string }>;
  printed(pattern: RegExp): Promise<string>;
}

/** `npx mcp-session-routing ...`, as a user types it in that folder. */
function npx(...args: readonly string[]): Running {
  return start('npx', ['--offline', 'mcp-session-routing', ...args]);
}

function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...NO_VARIABLES, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: npx has a shell, and that has the program.
    detached: true,
  });
  onCleanup(() => killGroup(Number(child.pid)));
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err += text));
  const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, ...texts }));
  return {
    child,
    ended,
    async printed(pattern) {
      for (;;) {
        const found = pattern.exec(texts.out)?.[1];
        if (found !== undefined) return found;
        const more = once(child.stdout, 'data').then(() => undefined);
        const over = await Promise.race([more, ended]);
        if (over) throw new Error(`it has ended (${String(over.code)}): ${over.err}`);
      }
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

describe('the packed package in an empty folder', () => {
  let backends: Backends;
  beforeAll(async () => {
    backends = await startBackends('SDK v1');
  });
  afterAll(() => backends.stop());

  it.each([
    // npx ends at once by SIGTERM, and does not pass it on.
    ['npx', ['--offline', 'mcp-session-routing'], null],
    ['node_modules/.bin/mcp-session-routing', [], 0],
  ])(
    'runs a gateway by %s that a real client uses, and that SIGTERM ends',
    async (program, args, code) => {
      const flags = ['gateway', '--port', '0', ...backendFlags(backends.origins.values())];
      const gateway = start(program, [...args, ...flags]);
      const url = await gateway.printed(/^listening on (\S+)$/m);
      const client = new Client({ name: 'test', version: '1.0.0' });
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      for (let turn = 0; turn < 6; turn += 1) expect(await client.ping()).toEqual({});
      await client.close();
      gateway.child.kill('SIGTERM');
      // Its output is closed by the last one who has it.
      expect(await gateway.ended).toMatchObject({ code, err: '' });
    },
  );

  it('runs a doctor that sees what a plain balancer does, and what the gateway does', async () => {
    const origins = [...backends.origins.values()];
    const { port } = await tcpBalancer(...origins.map((origin) => Number(new URL(origin).port)));
    const gateway = npx('gateway', '--port', '0', ...backendFlags(origins));
    const url = await gateway.printed(/^listening on (\S+)$/m);
    const plain = await npx('doctor', `http://127.0.0.1:${port}/mcp`).ended;
    expect(plain.code).toBe(1);
    const [, share] = /reached their session \((\d+) %\)/.exec(plain.out) ?? [];
    expect(Math.abs(Number(share) - 33)).toBeLessThan(14);
    const pinned = await npx('doctor', url).ended;
    expect(pinned).toMatchObject({ code: 0, err: '' });
    expect(pinned.out).toContain('300 of 300 reached their session (100 %)');
  });

  it('says how to get ioredis where it is needed, and is not there', async () => {
    const backend = await scriptedBackend();
    const flags = ['--backend', backend.origin, '--redis', 'redis://localhost'];
    const { code, err } = await npx('gateway', ...flags).ended;
    expect(code).toBe(1);
    expect(err).toBe(
      'mcp-session-routing: --redis needs the package ioredis, which is not there: npm install ioredis, ' +
        'or npx -p mcp-session-routing -p ioredis mcp-session-routing gateway ...\n',
    );
  });

  it('has a library that loads nothing of the command line', async () => {
    const code = `
      import { createRequire } from 'node:module';
      await import('mcp-session-routing');
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.filter((file) => /commander|picocolors/.test(file)).length, loaded.length > 0);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    expect(output).toBe('0 true\n');
  });
});
