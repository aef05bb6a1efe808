import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { blocksIn, pageOf, ROOT } from './markdown.ts';

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
  /** From the root. */
  readonly page: string;
  /** For the project it is compiled in; a class that is exported is in a file of its name. */
  readonly file: string;
  readonly code: string;
}

/** The TypeScript blocks of the README and of all pages under docs/, as files that compile. */
export async function documentedCode(): Promise<DocumentedCode[]> {
  const docs = await readdir(path.join(ROOT, 'docs'), { recursive: true });
  const pages = ['README.md', ...docs.map((name) => path.join('docs', name))];
  return pages.filter((page) => page.endsWith('.md')).flatMap(codeOf);
}

function codeOf(page: string): DocumentedCode[] {
  const blocks = blocksIn(pageOf(page)).filter(({ language }) => language === 'ts');
  const name = page.replace(/\.md$/, '').replaceAll(path.sep, '-');
  return blocks.map(({ code }, index) => ({
    page,
    file: fileOf(code) ?? `${name}-${index + 1}.ts`,
    code: code.startsWith('import') ? code : GRANTED + code,
  }));
}

function fileOf(code: string): string | undefined {
  const name = /^export class (\w+)/m.exec(code)?.[1];
  return name && `${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.ts`;
}
