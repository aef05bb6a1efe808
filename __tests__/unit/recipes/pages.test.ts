import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { blocksIn, pageOf, recipes, ROOT } from '../../helpers/markdown.ts';

const README = pageOf('docs/recipes/README.md');

describe.each(recipes())('the recipe %s', (name) => {
  const page = pageOf(`docs/recipes/${name}.md`);
  const lines = page.trimEnd().split('\n');
  const [title = ''] = lines;

  test('answers one question, which the list of recipes has too', () => {
    expect(title).toMatch(/^# .+\?$/);
    expect(README).toContain(`| ${title.slice(2)} | [${name}.md](${name}.md) |`);
  });

  test('begins with code', () => {
    expect(lines.findIndex((line) => line.startsWith('```'))).toBeLessThanOrEqual(4);
  });

  test('has 30 to 80 lines', () => {
    expect(lines.length).toBeGreaterThanOrEqual(30);
    expect(lines.length).toBeLessThanOrEqual(80);
  });

  test('has only code that a test runs, or parses', () => {
    const languages = blocksIn(page).map(({ language }) => language);
    expect(languages.filter((each) => !['ts', 'yaml', 'json', 'nginx'].includes(each))).toEqual([]);
    const folders = ['__tests__/integration/recipes', '__tests__/unit/recipes'];
    expect(folders.some((folder) => existsSync(path.join(ROOT, folder, `${name}.test.ts`)))).toBe(
      true,
    );
  });
});

test('the README of the project lists no recipe that is not there, and leads to them', () => {
  expect(pageOf('README.md')).toContain('(docs/recipes/README.md)');
});

const PAGES = ['.', 'docs', 'docs/recipes', 'examples', 'examples/kubernetes', 'bench'].flatMap(
  (folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.posix.join(folder, name)),
);

test.each(PAGES)('the links of %s lead somewhere', (file) => {
  const links = [...pageOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const local = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(local.filter((link) => !leadsSomewhere(file, link))).toEqual([]);
});

function leadsSomewhere(from: string, link: string): boolean {
  const [target = '', anchor] = link.split('#');
  const file = target === '' ? from : path.posix.join(path.posix.dirname(from), target);
  if (!existsSync(path.join(ROOT, file))) return false;
  return anchor === undefined || anchorsOf(pageOf(file)).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
