import { afterAll, expect, jest, test } from '@jest/globals';
import { backendsFile, type BackendsFile } from '../../helpers/backends-file.ts';
import { onCleanup } from '../../helpers/cleanup.ts';
import { type Backends, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { MODERN, modernRequests } from '../../helpers/e2e-eras.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { show } from '../../helpers/e2e-runs.ts';
import { type Visit, Visitors } from '../../helpers/e2e-visitors.ts';
import { until } from '../../helpers/until.ts';

jest.setTimeout(180_000);
afterAll(killChildren);

const NAMES = ['a', 'b', 'c'];
/** The default of `eraTtl`. */
const ERA_TTL = 5000;

interface Fleet {
  readonly backends: Backends;
  readonly file: BackendsFile;
  readonly visitors: Visitors;
  /** Those in the list, by name. */
  readonly listed: Map<string, string>;
}

/** Three servers that know sessions only, and clients of both eras that have been at all of them. */
async function start(): Promise<Fleet> {
  const backends = await startBackends('every era', { ERA: 'legacy' });
  onCleanup(() => backends.stop());
  const listed = new Map(backends.origins);
  const file = backendsFile([...listed.values()].map((url) => ({ url })));
  const { url } = await startGateway({ BACKENDS_FILE: file.path });
  const visitors = new Visitors(url, ['SDK v1', 'SDK v2', 'SDK v1', 'SDK v2 auto', 'SDK v2 auto']);
  onCleanup(() => visitors.stop());
  await until(() => modernRequests(backends.history()).size === NAMES.length);
  return { backends, file, visitors, listed };
}

/** A new server comes, the old one drains, and goes when nobody is there any more; when the new one could be known. */
async function upgrade({ backends, file, visitors, listed }: Fleet, name: string): Promise<number> {
  const old = listed.get(name) ?? '';
  listed.delete(name);
  listed.set(`${name}2`, await backends.start(`${name}2`, { ERA: 'both' }));
  const entries = [...listed.values()].map((url) => ({ url }));
  const able = performance.now();
  file.write([...entries, { url: old, draining: true }]);
  await until(() => backends.history().some(({ instance }) => instance === `${name}2`));
  await visitors.turnover();
  file.write(entries);
  await backends.kill(name);
  return able;
}

function of(visits: readonly Visit[], auto: boolean): Visit[] {
  return visits.filter(({ kind }) => (kind === 'SDK v2 auto') === auto);
}

test('servers are upgraded to 2026-07-28 one by one, and no client notices but those that wait for it', async () => {
  const fleet = await start();
  const able = await upgrade(fleet, 'a');
  const upgraded = performance.now();
  for (const name of NAMES.slice(1)) await upgrade(fleet, name);
  await fleet.visitors.turnover();
  await fleet.visitors.stop();

  const { visits } = fleet.visitors;
  const { astray, repeated } = judge(fleet.backends.history());
  const complaints = visits.flatMap(({ complaint }) => complaint ?? []);
  expect({ complaints, astray, repeated }).toEqual({ complaints: [], astray: [], repeated: [] });
  expect(of(visits, false).filter(({ revision }) => revision !== '2025-11-25')).toEqual([]);

  const modern = of(visits, true).filter(({ revision }) => revision === MODERN);
  const waited = Math.min(...modern.map(({ opened }) => opened)) - able;
  expect(waited).toBeLessThan(ERA_TTL);
  const later = of(visits, true).filter(({ began }) => began > upgraded);
  expect(later.length).toBeGreaterThan(0);
  expect(later.filter(({ revision }) => revision !== MODERN)).toEqual([]);
  show(
    `rolling upgrade of three servers: ${visits.length} clients came and went, none failed; ` +
      `2026-07-28 was spoken ${waited.toFixed()} ms after the first server could`,
  );
});
