import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { onCleanup } from './cleanup.ts';
import { type Child, startChild } from './e2e-children.ts';
import { blockOf, replaced, ROOT } from './markdown.ts';

export interface RecipeOptions {
  /** Which of the TypeScript blocks of the page. @default 0 */
  readonly block?: number;
  /** What a reader replaces too: addresses and times. */
  readonly replace?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Other files beside it, by their names. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface RunningRecipe extends Child {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** `origin` and `/mcp`. */
  readonly url: string;
  /** Where its files are, which is its working directory. */
  readonly folder: string;
}

/** Times for a Redis on a machine that is busy with other tests; a test that breaks it has no use for them. */
export const PATIENT: Readonly<Record<string, string>> = {
  '{ ...recommendedRedisOptions }':
    '{ ...recommendedRedisOptions, commandTimeout: 20_000, socketTimeout: 20_000, connectTimeout: 20_000 }',
  'mcpSessionRouting(redis, {': 'mcpSessionRouting(redis, { storeTimeout: 20_000,',
};

/** Runs the very block of a recipe, on a free port of 127.0.0.1; it ends after the test. */
export async function runRecipe(
  recipe: string,
  { block = 0, replace = {}, env = {}, files = {} }: RecipeOptions = {},
): Promise<RunningRecipe> {
  const code = replaced(blockOf(recipe, 'ts', block), replace);
  const folder = writeProject({ 'recipe.ts': code.replace('listen(3000)', LISTEN), ...files });
  const child = startRecipe(folder, 'recipe.ts', { PORT: '0', ...env });
  const origin = `http://127.0.0.1:${await child.port}`;
  return { ...child, origin, url: `${origin}/mcp`, folder };
}

const LISTEN = "listen(0, '127.0.0.1')";

/** Runs a file of a project of recipes; it ends after the test. */
export function startRecipe(
  folder: string,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = startChild([path.join(folder, file)], { ...env }, ['observe.ts'], folder);
  onCleanup(() => child.kill());
  return child;
}

/** A project that has this package, and all that it is developed with, installed. */
export function writeProject(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'recipe-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text.replaceAll(OWN_NAME, ownFile));
  }
  return folder;
}

const OWN_NAME = /'mcp-session-routing(\/[\w-]+)?'/g;

/** The source in place of the package. */
function ownFile(_: string, entry = '/index'): string {
  return `'${pathToFileURL(path.join(ROOT, `src${entry}.ts`)).href}'`;
}
