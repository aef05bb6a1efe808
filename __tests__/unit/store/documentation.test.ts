import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { BACKEND_URL, recommendedRedisOptions } from '../../../src/index.ts';
import * as record from '../../../src/store/record.ts';

const page = await readFile(new URL('../../../docs/stores.md', import.meta.url), 'utf8');

const members = Object.values(record).filter((value) => typeof value === 'string');

test.each(members)('docs/stores.md has the member %s of a record', (member) => {
  expect(members).toContain(BACKEND_URL);
  expect(page).toContain(`| \`${member}\` |`);
});

test.each(['getWithExpiry', 'create', 'replace', 'touch', 'subscribe', 'probe', 'close'])(
  'docs/stores.md says what comes of a store without %s',
  (verb) => {
    expect(page).toContain(`| \`${verb}\` |`);
  },
);

test.each(Object.keys(recommendedRedisOptions))(
  'docs/stores.md says why %s is recommended',
  (name) => {
    expect(page).toContain(`| \`${name}\` |`);
  },
);
