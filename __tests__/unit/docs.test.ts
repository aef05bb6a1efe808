import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import * as api from '../../src/index.ts';
import { REFUSALS } from '../../src/protocol/reasons.ts';

const read = (file: string): Promise<string> =>
  readFile(new URL(`../../${file}`, import.meta.url), 'utf8');

const EVENTS = [
  ...['opened', 'recovered', 'ended', 'refused', 'storeFailed'],
  ...['backendDown', 'backendUp', 'discoveryFailed'],
];

describe('the documentation', () => {
  it.each(Object.keys(api))('has an entry for the export %s', async (name) => {
    expect(await read('docs/api.md')).toMatch(new RegExp(`^## ${name}\\b`, 'm'));
  });

  it('names every exported type', async () => {
    const [index, docs] = await Promise.all([read('src/index.ts'), read('docs/api.md')]);
    const types = [
      ...index.matchAll(/\btype (?:\{ )?([A-Z]\w+)|^export type \{([^}]+)\}/gm),
    ].flatMap(([, one, many]) => (one ?? many ?? '').split(',').map((name) => name.trim()));
    expect(types.length).toBeGreaterThan(10);
    expect(types.filter((name) => name !== '' && !docs.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(Object.keys(REFUSALS))(
    'has an entry for the error %s, with its status',
    async (reason) => {
      const section = (await read('docs/errors.md')).split(`### ${reason}\n`)[1]?.split('###')[0];
      const { status, code } = REFUSALS[reason as keyof typeof REFUSALS];
      expect(section).toContain(`${status}`);
      expect(section).toContain(`${code}`);
    },
  );

  it.each(Object.keys(REFUSALS))('tells users of %s in the README', async (reason) => {
    expect(await read('README.md')).toContain(`\`${reason}\``);
  });

  it('names every option in the README and in the API page', async () => {
    const options = await read('src/options.ts');
    const names = [...options.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
    const declared = names.filter((name) => !EVENTS.includes(name ?? ''));
    const pages = await Promise.all([read('README.md'), read('docs/api.md')]);
    for (const page of pages) {
      expect(declared.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    }
  });

  it('names tests that exist for each threat', async () => {
    const rows = (await read('docs/security.md')).matchAll(/^\|[^|]+\|[^|]+\|([^|]+)\|$/gm);
    const named = [...rows].flatMap(([, tests = '']) =>
      [...tests.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(15);
    const root = new URL('../', import.meta.url);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(named.filter((name) => !files.some((file) => file.endsWith(`${name}.test.ts`)))).toEqual(
      [],
    );
  });

  it.each(['prom-client', 'opentelemetry'])(
    'has the recipe for %s as it is tested',
    async (name) => {
      const code = (await read(`examples/metrics/${name}.ts`))
        .replaceAll("'../../src/index.ts'", "'mcp-session-routing'")
        .replaceAll("'../../src/opentelemetry.ts'", "'mcp-session-routing/opentelemetry'");
      expect(await read('docs/observability.md')).toContain(`\`\`\`ts\n${code}\`\`\`\n`);
    },
  );

  it('keeps the README at 200 lines', async () => {
    expect((await read('README.md')).split('\n').length).toBeLessThanOrEqual(200);
  });
});
