import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { rawMember } from '../../../src/protocol/raw-member.ts';

const blank = fc.stringMatching(/^[ \n\r\t]{0,3}$/);
const number = fc.stringMatching(
  /^-?(?:0|[1-9][0-9]{0,25})(?:\.[0-9]{1,5})?(?:[eE][+-]?[0-9]{1,3})?$/,
);
/** A string literal as it may be written, with escapes or without. */
const literal = fc
  .array(
    fc.oneof(
      fc.string({ minLength: 1, maxLength: 1 }),
      fc.constantFrom('\\"', '\\\\', '\\u0041', '{', '}', ','),
    ),
  )
  .map(
    (parts) =>
      `"${parts.map((part) => (part.length > 1 ? part : JSON.stringify(part).slice(1, -1))).join('')}"`,
  );

/** JSON as somebody might write it: any spacing, any spelling of strings and numbers. */
const { json } = fc.letrec<{ json: string; array: string; object: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    number,
    literal,
    fc.constantFrom('true', 'false', 'null'),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(blank, fc.array(fc.tuple(blank, tie('json'), blank), { maxLength: 4 }))
    .map(([space, items]) => `[${space}${items.map((item) => item.join('')).join(',')}]`),
  object: fc
    .tuple(
      blank,
      fc.array(fc.tuple(blank, literal, blank, blank, tie('json'), blank), { maxLength: 4 }),
    )
    .map(
      ([space, members]) =>
        `{${space}${members.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')}}`,
    ),
}));

const spelling = fc.constantFrom('"id"', '"\\u0069d"', '"i\\u0064"');
const other = fc.tuple(
  literal.filter((key) => JSON.parse(key) !== 'id'),
  json,
);

describe('the text of a member', () => {
  test('is exactly what was written, of several the last one, wherever it stands', () => {
    const members = fc.array(fc.oneof(other, fc.tuple(spelling, json)), { maxLength: 6 });
    fc.assert(
      fc.property(members, blank, blank, (all, before, after) => {
        const text = `${before}{${all.map(([key, value]) => `${before}${key}${after}:${before}${value}${after}`).join(',')}}${after}`;
        const last = all.findLast(([key]) => JSON.parse(key) === 'id')?.[1];
        expect(rawMember(text, 'id')).toBe(last?.replaceAll(/^[ \n\r\t]+|[ \n\r\t]+$/g, ''));
      }),
    );
  });

  test('is what JSON.parse reads, for any JSON', () => {
    fc.assert(
      fc.property(json, (text) => {
        const parsed: unknown = JSON.parse(text);
        const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
        const members = isObject ? Object.entries(parsed) : [['id', undefined] as const];
        for (const [key, value] of members) {
          const member = rawMember(text, key);
          expect(member === undefined ? undefined : JSON.parse(member)).toEqual(value);
        }
      }),
    );
  });

  test.each([
    ['{"id":{"id":1},"x":2}', '{"id":1}'],
    ['{"x":{"id":1}}', undefined],
    ['[{"id":1}]', undefined],
    ['"id"', undefined],
    ['{}', undefined],
    [' \n{ "id" : "a\\"},b" } ', '"a\\"},b"'],
    ['{"id":[1,"]",{"a":[]}],"z":0}', '[1,"]",{"a":[]}]'],
    ['{"\\u0069d":12345678901234567890}', '12345678901234567890'],
    ['{"id":1 ,"id":2\t}', '2'],
  ])('of %s is %s', (text, member) => {
    expect(rawMember(text, 'id')).toBe(member);
  });
});
