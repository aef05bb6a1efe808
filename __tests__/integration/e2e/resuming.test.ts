import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { onCleanup } from '../../helpers/cleanup.ts';
import type { ServerKind } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import type { ClientKind } from '../../helpers/e2e-clients.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { type Resuming, startResuming } from '../../helpers/e2e-resuming.ts';
import { until } from '../../helpers/until.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

async function start(kind: ClientKind, server: ServerKind): Promise<Resuming> {
  const resuming = await startResuming(kind, server);
  onCleanup(() => resuming.stop());
  return resuming;
}

/** A call that has reported its first step; resolves to all steps when it is answered. */
async function callUnderWay({ client }: Resuming): Promise<{ answered: Promise<number[]> }> {
  const steps: number[] = [];
  const call = client.call('progress', { nonce: randomUUID() }, (step) => steps.push(step));
  await until(() => steps.length > 0);
  return { answered: call.then(() => steps) };
}

/** What the client hears after it has missed something, in all. */
async function heardInAll(run: Resuming): Promise<readonly string[]> {
  await run.announce('between');
  run.resume();
  await until(() => run.client.heard().includes('between'));
  await run.announce('after');
  await until(() => run.client.heard().includes('after'));
  return run.client.heard();
}

/** Requests with Last-Event-ID; and all requests of a session that have reached another server than its own. */
function resumed({ backends, client }: Resuming): { count: number; astray: readonly string[] } {
  const history = backends.history();
  const asked = history.filter(
    (entry) =>
      entry.kind === 'arrived' &&
      entry.lastEventId !== undefined &&
      entry.session === client.session(),
  );
  return { count: asked.length, astray: judge(history).astray };
}

describe.each<[ClientKind, ServerKind]>([
  ['SDK v1', 'SDK v2'],
  ['SDK v2', 'SDK v1'],
])('a client (%s) that listens to its server (%s)', (kind, server) => {
  it('misses nothing when its gateway is stopped and another one is there', async () => {
    const run = await start(kind, server);
    const { answered } = await callUnderWay(run);
    await run.startGateway();
    await run.gateways[0]?.child.stop();
    await run.asking;
    expect(await heardInAll(run)).toEqual(['before', 'between', 'after']);
    expect(await answered).toEqual([1, 2, 3]);
    expect(resumed(run)).toEqual({ count: 1, astray: [] });
  });

  it('misses nothing when its gateway is killed and started again, nor does a call under way', async () => {
    const run = await start(kind, server);
    const { answered } = await callUnderWay(run);
    await run.gateways[0]?.child.kill();
    await run.asking;
    await run.startGateway();
    expect(await heardInAll(run)).toEqual(['before', 'between', 'after']);
    expect(await answered).toEqual([1, 2, 3]);
    expect(resumed(run)).toEqual({ count: 2, astray: [] });
  });
});
