import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a block without imports of its own takes for granted. */
const GRANTED = `
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
import { mcpSessionRouting, sessionPlugin, sessionRouter } from 'mcp-session-routing';
declare const app: express.Express;
declare const store: Redis;
declare const target: string;
`;

export interface DocumentedCode {
  /** For the project it is compiled in; a class that is exported is in a file of its name. */
  readonly file: string;
  readonly code: string;
}

/** The TypeScript blocks of the README and of docs/, as files that compile. */
export async function documentedCode(): Promise<DocumentedCode[]> {
  const docs = await readdir(path.join(root, 'docs'));
  const pages = ['README.md', ...docs.map((name) => path.join('docs', name))];
  const found = await Promise.all(pages.filter((page) => page.endsWith('.md')).map(blocksOf));
  return found.flat();
}

async function blocksOf(page: string): Promise<DocumentedCode[]> {
  const text = await readFile(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ''], index) => ({
    file: fileOf(code) ?? `${path.basename(page, '.md')}-${index + 1}.ts`,
    code: code.startsWith('import') ? code : GRANTED + code,
  }));
}

function fileOf(code: string): string | undefined {
  const name = /^export class (\w+)/m.exec(code)?.[1];
  return name && `${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.ts`;
}
