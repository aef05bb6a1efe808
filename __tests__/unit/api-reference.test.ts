import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pageOf, ROOT } from '../helpers/markdown.ts';

const PAGE = pageOf('docs/api.md');
/** What a number counts. */
const UNIT = /\b(milliseconds|bytes|sessions|replicas|HTTP status)\b/;
/** Not called options, but written by users as options are. */
const ENTRIES = ['BackendEntry', 'BackendDiscovery'];
/** docs/stores.md has it. */
const ELSEWHERE = ['RecommendedRedisOptions'];
/** What users read and do not write. */
const TOLD = ['Stats', 'RouteInfo', 'BackendInfo', 'LostSessionInfo', 'RefusalInfo'];

const source = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => pageOf(path.join('src', file)))
  .join('\n');

const exported = [pageOf('src/index.ts'), pageOf('src/store-conformance.ts')].join('\n');
const options = [...source.matchAll(/^export interface (\w+Options)\b/gm)]
  .map(([, name = '']) => name)
  .filter((name) => new RegExp(`\\b${name}\\b`).test(exported) && !ELSEWHERE.includes(name));

interface Member {
  readonly of: string;
  readonly name: string;
  readonly type: string;
  /** As its comment says. */
  readonly preset: string | undefined;
}

const MEMBER =
  /(?:^ {2}\/\*\*(?<comment>(?:(?!\*\/).)*)\*\/\n)?^ {2}(?:readonly )?(?<name>\w+)\??(?:\(.*?\))?: (?<type>.*?);$/gms;

function membersOf(name: string): Member[] {
  const declared = new RegExp(`^export interface ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms');
  const [, body = ''] = declared.exec(source) ?? [];
  return [...body.matchAll(MEMBER)].map(({ groups = {} }) => ({
    of: name,
    name: groups.name ?? '',
    type: groups.type ?? '',
    preset: /@default (.*?)\s*(?:@|$)/s.exec(groups.comment?.replaceAll(/\n +\*/g, '') ?? '')?.[1],
  }));
}

/** The cells of a member's row, in the table that its type heads. */
function rowOf({ of, name }: Member): { unit: string; preset: string } {
  const [table = ''] = new RegExp(`^\\| \`${of}\` \\|.*\\n(?:\\|.*\\n)+`, 'm').exec(PAGE) ?? [];
  const row = table.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
  const [, , unit = '', preset = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
  return { unit, preset };
}

/** The first number in a text, however its digits are grouped. */
function numberIn(text: string): number {
  return Number(/\d+(?:[ _]\d{3})*/.exec(text)?.[0].replaceAll(/[ _]/g, ''));
}

const members = [...options, ...ENTRIES].flatMap(membersOf);
const numbers = members.filter(({ type }) => type === 'number');
const presetNumbers = members.filter(({ preset = '' }) => /^\d/.test(preset));
const presetWords = members.filter(({ preset = '' }) => preset.startsWith("'"));

test('there are options to look for', () => {
  expect(options).toEqual(expect.arrayContaining(['McpSessionRoutingOptions', 'CacheOptions']));
  expect(
    Math.min(members.length / 40, numbers.length / 10, presetNumbers.length / 10),
  ).toBeGreaterThan(1);
});

describe('docs/api.md', () => {
  test.each(members)('has the type and the default of $name of $of', (member) => {
    expect(rowOf(member)).toEqual({
      unit: expect.stringMatching(/./),
      preset: expect.stringMatching(/./),
    });
  });

  test.each(numbers)('says what the number $name of $of counts', (member) => {
    expect(rowOf(member).unit).toMatch(UNIT);
  });

  test.each(presetNumbers)('has the same default as the source: $name of $of', (member) => {
    expect(numberIn(rowOf(member).preset)).toBe(numberIn(member.preset ?? ''));
  });

  test.each(presetWords)('has the same default as the source: $name of $of', (member) => {
    expect(rowOf(member).preset).toContain(member.preset);
  });

  test.each([...TOLD, 'SessionEvents'].flatMap(membersOf))('tells of $name of $of', ({ name }) => {
    expect(PAGE).toMatch(new RegExp(`\`${name}(\\(|\`)`));
  });
});
