import { afterEach, describe, expect, it } from '@jest/globals';
import { readSettings } from '../../examples/gateway-settings.ts';
import type { BackendEntry } from '../../src/index.ts';
import { backendsFile, type BackendsFile } from '../helpers/backends-file.ts';
import { killChildren, type Child } from '../helpers/e2e-children.ts';
import { startGateway } from '../helpers/e2e-gateways.ts';
import {
  call,
  initialize,
  openSession,
  openSessions,
  type Addressed,
} from '../helpers/mcp-client.ts';
import { runExample } from '../helpers/run-example.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { until } from '../helpers/until.ts';

afterEach(killChildren);

interface Started {
  readonly gw: Addressed;
  readonly child: Child;
  readonly file: BackendsFile;
  readonly a: ScriptedBackend;
  readonly b: ScriptedBackend;
}

/** A gateway that has read backend a, and not yet b. */
async function start(): Promise<Started> {
  const [a, b] = await scriptedBackends(2);
  if (!a || !b) throw new RangeError('two backends');
  const file = backendsFile([named(a)]);
  const { url, child } = await startGateway({ BACKENDS_FILE: file.path });
  return { gw: { url: new URL(url).origin }, child, file, a, b };
}

const named = ({ name, origin }: ScriptedBackend): BackendEntry => ({ id: name, url: origin });

describe('gateway.ts with BACKENDS_FILE', () => {
  it('gives sessions to a backend that was added, within a second', async () => {
    const { gw, file, a, b } = await start();
    const id = await openSession(gw);
    file.write([named(a), named(b)]);
    const written = performance.now();
    await until(async () => (await openSession(gw)).startsWith('b-'));
    // One second is promised; the rest is for a busy machine.
    expect(performance.now() - written).toBeLessThan(10_000);
    await call(gw, id).expect(200);
  });

  it('gives no sessions to one that drains, and lets those that it has live on', async () => {
    const { gw, file, a, b } = await start();
    const id = await openSession(gw);
    file.write([{ ...named(a), draining: true }, named(b)]);
    await until(async () => (await openSession(gw)).startsWith('b-'));
    await openSessions(gw, 4);
    expect(b.sessions.size).toBe(5);
    await call(gw, id).expect(200);
  });

  it('tells the clients of one that is gone to start again', async () => {
    const { gw, file, b } = await start();
    const id = await openSession(gw);
    file.write([named(b)]);
    await until(async () => (await call(gw, id)).status === 404);
    expect(await openSession(gw)).toMatch(/^b-/);
  });

  it.each(['[{"id":"b","url":"http:', '{}', '[{"url":"http://127.0.0.1:1","drain":true}]'])(
    'keeps the last list, and says so, while the file holds %s',
    async (broken) => {
      const { gw, child, file, b } = await start();
      const id = await openSession(gw);
      file.write(broken);
      await child.printed(/^gateway: .*; the backends stay as they were$/m);
      expect((await call(gw, id)).status).toBe(200);
      file.write([named(b)]);
      await until(async () => (await openSession(gw)).startsWith('b-'));
    },
  );

  it('says when a backend is down, and when it is up again', async () => {
    const { gw, child, a } = await start();
    await a.refuse();
    expect((await initialize(gw)).status).toBe(503);
    await child.printed(new RegExp(`^gateway: ${a.origin} is down$`, 'm'));
    await a.reopen();
    await child.printed(new RegExp(`^gateway: ${a.origin} is up again$`, 'm'));
  });
});

describe('gateway.ts with a BACKENDS_FILE that cannot be', () => {
  it.each([
    ['[{"id":"a","url":', 'does not hold JSON: give [{"id":"mcp-0","url":"http://mcp-0:8080"}]'],
    ['{"a":"http://a"}', 'does not hold a list: give [{"id":"mcp-0","url":"http://mcp-0:8080"}]'],
    ['["http://a:1"]', '"http://a:1" has no url: give'],
    ['[null]', 'null has no url: give'],
    ['[{"url":"http://a:1/mcp"}]', 'give http://a:1 and set MCP_PATH'],
    ['[{"url":"http://me:secret@a"}]', 'give it without'],
  ])('names what is wrong with %s, and the remedy', (content, remedy) => {
    const { path: BACKENDS_FILE } = backendsFile(content);
    expect(() => readSettings({ BACKENDS_FILE })).toThrow('BACKENDS_FILE');
    expect(() => readSettings({ BACKENDS_FILE })).toThrow(remedy);
  });

  it.each([
    ['[{"url":"http://a:1"},{"url":"http://a:1"}]', 'http://a:1 is given twice'],
    ['[{"url":"http://a:1","drain":true}]', '"drain"'],
  ])('ends with one line where the package refuses %s', async (content, problem) => {
    const { path: BACKENDS_FILE } = backendsFile(content);
    const example = runExample('gateway.ts', { PORT: '0', BACKENDS_FILE });
    expect(await example.exited).toEqual({ code: 1, signal: null });
    expect(example.errors()).toMatch(/^gateway: The backends are not known: .*\n$/);
    expect(example.errors()).toContain(problem);
  });

  it('takes no BACKENDS beside it', () => {
    const { path: BACKENDS_FILE } = backendsFile('[]');
    const env = { BACKENDS: 'http://a:1', BACKENDS_FILE };
    expect(() => readSettings(env)).toThrow('exclude each other: give one of them');
  });
});
