import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { proofs } from '../../../scripts/proofs.ts';

// The promises that are kept so far; a later one is added here together with its tests.
const PROMISES = [
  ...['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8', 'A9', 'A10', 'A11', 'A12', 'A13', 'A14'],
  ...['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8'],
  ...['C1', 'C2', 'C3', 'C4', 'C5', 'C6'],
  ...['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11'],
  ...['E1', 'E2', 'E3', 'E5', 'E6'],
  ...['F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'F7', 'F8'],
  ...['G1', 'G2', 'G3', 'G4', 'G5'],
];

const TESTS = path.join(import.meta.dirname, '../..');

// title = ( test / it / describe ) [ each ] "(" quote 1*( id separator ) sentence, or the "id" of a rule
const TITLE =
  /\b(?:test|it|describe)(?:\.each\([^\n]*\))?\(\s*['"`]((?:[A-G]\d{1,2}[:,]? )+)|\bid: '([A-G]\d{1,2})'/g;

function promisesOf(file: string): string[] {
  const source = readFileSync(path.join(TESTS, file), 'utf8');
  return [...source.matchAll(TITLE)].flatMap(
    ([, ids, id]) => (ids ?? id ?? '').match(/\w+/g) ?? [],
  );
}

const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.includes('node_modules'),
);
const tested = new Set(files.flatMap(promisesOf));
const proven = new Set(proofs.map(({ id }) => id));

test.each(PROMISES)('the promise %s stands in the title of a test', (id) => {
  expect(tested).toContain(id);
});

test.each(PROMISES)('for the promise %s there is a change that turns a test red', (id) => {
  expect(proven).toContain(id);
});

test.each(proofs)('$id: the change to $file can be made', ({ file, find }) => {
  const source = readFileSync(path.join(TESTS, '..', file), 'utf8');
  expect(source.split(find)).toHaveLength(2);
});
