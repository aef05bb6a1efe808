import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  bundleProject,
  compileProject,
  installedProject,
  startProgram,
} from '../../helpers/consumer-projects.ts';
import { type Consumer, consumerName, consumers, PACKAGES } from '../../helpers/consumers.ts';
import { call, openSessions, terminate } from '../../helpers/mcp-client.ts';
import { packPackage } from '../../helpers/packed-package.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackends } from '../../helpers/scripted-backend.ts';

// Compilers and npm take long on a machine that has much else to do.
jest.setTimeout(600_000);

let work: string;
let tarball: string;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'consumers-'));
  tarball = await packPackage(work);
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Makes programs of a project: files that can be run. */
const BUILDS: Record<Consumer['project'], (folder: string) => Promise<string[]>> = {
  'es-modules': (folder) => Promise.resolve([path.join(folder, 'gateway.js')]),
  commonjs: (folder) => Promise.resolve([path.join(folder, 'gateway.js')]),
  async nodenext(folder) {
    await compileProject(folder);
    return ['gateway.js', 'gateway-in-commonjs.cjs'].map((file) =>
      path.join(folder, 'built', file),
    );
  },
  async bundler(folder) {
    await compileProject(folder);
    return [await bundleProject(work, path.join(folder, 'gateway.ts'))];
  },
};

// The titles say which Node has run them, whatever started it.
describe(`Node ${process.versions.node}`, () => {
  const named = consumers.map((consumer) => ({ name: consumerName(consumer), consumer }));

  describe.each(named)('$name', ({ consumer: { project, packages } }) => {
    test('the package is installed, the gateway built, and its sessions are pinned', async () => {
      const { at } = PACKAGES[packages];
      const folder = await installedProject(work, { name: project, tarball, packages: at });
      for (const program of await BUILDS[project](folder)) await expectGateway(program);
    });
  });
});

async function expectGateway(program: string): Promise<void> {
  const backends = await scriptedBackends(2);
  const gateway = await startProgram(program, {
    BACKENDS: backends.map(({ origin }) => origin).join(','),
    REDIS_URL: await sharedRedisUrl(),
  });
  const [first = '', ...others] = await openSessions(gateway, 2);
  for (const id of [first, ...others, first]) await call(gateway, id).expect(200);
  expect(backends.map(({ hits }) => hits.length)).toEqual([3, 2]);
  await terminate(gateway, first).expect(200);
  expectRefusal(await call(gateway, first), 'session_ended', { id: '2' });
  expectRefusal(await call(gateway, 'never-issued'), 'unknown_session', { id: '2' });
}
