import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { documentWith } from '../../../src/status/page/document.ts';
import { SCRIPT } from '../../../src/status/page/script.ts';
import { STYLE } from '../../../src/status/page/style.ts';
import { onCleanup } from '../../helpers/cleanup.ts';

const run = promisify(execFile);
const bin = (name: string): string =>
  fileURLToPath(new URL(`../../../node_modules/.bin/${name}`, import.meta.url));

/** The script of the page in a file, for tools that read files. */
async function scriptFile(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'status-page-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'page.js');
  await writeFile(file, SCRIPT);
  return file;
}

/** What a tool has to say; nothing, if it is content. */
async function complaints(tool: string, args: readonly string[]): Promise<string> {
  return run(bin(tool), [...args]).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

describe('the page', () => {
  test('is one document: style and script run by the nonce, and nothing is loaded', () => {
    const page = documentWith('the-nonce');
    expect(page.match(/<(style|script)\b[^>]*>/g)).toEqual([
      '<style nonce="the-nonce">',
      '<script nonce="the-nonce">',
    ]);
    const links = page.match(/\b(src|href|action|srcset)="[^"]*"/g) ?? [];
    expect(links.filter((link) => !link.startsWith('href="data:image/svg+xml,'))).toEqual([]);
    expect(page).not.toMatch(/@import|url\(|\son\w+=|\sstyle=/);
  });

  test('puts in what it is told as text only', () => {
    expect(SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
    expect(SCRIPT).not.toMatch(/DOMParser|setHTML|createContextualFragment|srcdoc|javascript:/);
  });

  test('cannot end its own style or script', () => {
    expect(SCRIPT).not.toMatch(/<\/?script|<!--/i);
    expect(STYLE).not.toMatch(/<\/?style/i);
  });

  test('has a script without mistakes that a compiler sees', async () => {
    const options = ['--allowJs', '--checkJs', '--noEmit', '--ignoreConfig', '--types', ''];
    const target = ['--target', 'es2022', '--lib', 'es2023,dom,dom.iterable', '--strict', 'false'];
    const file = await scriptFile();
    expect(await complaints('tsc', [...options, ...target, '--noUnusedLocals', file])).toBe('');
  });

  test('has a script without mistakes that a linter sees', async () => {
    const file = await scriptFile();
    const { plugins, categories, rules } = await linting();
    const config = path.join(path.dirname(file), 'lint.json');
    const given = { plugins, categories, rules: { ...rules, 'no-undef': 'error' } };
    await writeFile(config, JSON.stringify({ ...given, env: { browser: true, es2024: true } }));
    expect(await complaints('oxlint', ['--config', config, file])).toBe('');
  });
});

/** How everything else is linted. */
async function linting(): Promise<Record<'plugins' | 'categories' | 'rules', object>> {
  const file = new URL('../../../.oxlintrc.json', import.meta.url);
  return JSON.parse(await readFile(file, 'utf8')) as Awaited<ReturnType<typeof linting>>;
}
