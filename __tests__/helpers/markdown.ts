import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  /** `ts`, `yaml` and so on; empty if the fence does not say. */
  readonly language: string;
  readonly code: string;
}

/** The text of a page, by its path from the root. */
export function pageOf(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** The code blocks of a text, in their order. */
export function blocksIn(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** The names of the recipes, `existing-gateway` for one. */
export function recipes(): string[] {
  return readdirSync(path.join(ROOT, 'docs/recipes'))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => path.basename(name, '.md'));
}

/** A block of a recipe, the first one in this language unless it is said which. */
export function blockOf(recipe: string, language: string, number = 0): string {
  const all = blocksIn(pageOf(`docs/recipes/${recipe}.md`));
  const block = all.filter((each) => each.language === language)[number];
  if (!block) throw new Error(`docs/recipes/${recipe}.md has no ${language} block ${number}`);
  return block.code;
}

/** Puts other text in the place of some that must be there: a page that has changed is noticed. */
export function replaced(text: string, by: Readonly<Record<string, string>>): string {
  return Object.entries(by).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`"${from}" is not in:\n${text}`);
    return result.replaceAll(from, to);
  }, text);
}
