import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: {
    readonly publish: {
      readonly permissions: Record<string, string>;
      readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
    };
  };
}

test('a release is checked, has provenance, and is published without a token', () => {
  const file = new URL('../../.github/workflows/release.yml', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const { permissions, jobs } = parse(text) as Workflow;
  const { publish } = jobs;
  expect(permissions).toEqual({ contents: 'read' });
  expect(publish.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  const runs = publish.steps.flatMap(({ run }) => run ?? []);
  expect(runs[0]).toBe('.ci/run');
  expect(runs.at(-1)).toContain('publish --provenance');
  expect(text).not.toMatch(/TOKEN|secrets\./);
});
