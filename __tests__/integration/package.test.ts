import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentedCode } from '../helpers/documented-code.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const modules = path.join(root, 'node_modules');
const run = promisify(execFile);

const PUBLIC_NAMES = [
  'BACKEND_URL',
  'MemoryStore',
  'RedisStore',
  'SessionRoutingError',
  'dnsBackends',
  'mcpSessionRouting',
  'recommendedRedisOptions',
  'sessionPlugin',
  'sessionRouter',
];

let tarball: string;
let work: string;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'packed-'));
  await run('npm', ['pack', '--pack-destination', work], { cwd: root }).catch(
    // The compiler writes its errors to stdout, which the message of the error leaves out.
    (error: Error & { stdout: string }) => {
      throw new Error(error.stdout, { cause: error });
    },
  );
  const [name] = await readdir(work);
  tarball = path.join(work, name ?? 'no tarball');
}, 120_000);

afterAll(() => rm(work, { recursive: true, force: true }));

test('the tarball holds what is used and documented, and nothing else', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  const files = stdout.trim().split('\n');
  expect(files).toEqual(
    expect.arrayContaining(
      ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']
        .concat(['dist/store-conformance.js', 'dist/store-conformance.d.ts', 'src/index.ts'])
        .map((file) => `package/${file}`),
    ),
  );
  const kept = /^package\/((dist|src)\/|(README|CHANGELOG)\.md$|LICENSE$|package\.json$)/;
  expect(files.filter((file) => !kept.test(file) || /test|examples/.test(file))).toEqual([]);
});

test('every source map of the tarball finds its source in the tarball', async () => {
  const folder = path.join(await consumer(), 'node_modules/mcp-session-routing');
  const files = await readdir(path.join(folder, 'dist'), { recursive: true });
  const maps = files.filter((file) => file.endsWith('.map'));
  expect(maps.length).toBeGreaterThan(0);
  for (const map of maps) {
    const file = path.join(folder, 'dist', map);
    const { sources } = JSON.parse(await readFile(file, 'utf8')) as { sources: string[] };
    for (const source of sources) await readFile(path.resolve(path.dirname(file), source));
  }
});

test('an ES module imports the public names, without the optional peers', async () => {
  const code = `console.log(JSON.stringify(Object.keys(await import('mcp-session-routing')).sort()))`;
  const names = await evaluate(code, 'module', await consumer(['express']));
  expect(names).toEqual(expect.arrayContaining(PUBLIC_NAMES));
});

test('a CommonJS module requires the public names', async () => {
  const code = `console.log(JSON.stringify(Object.keys(require('mcp-session-routing'))))`;
  const names = await evaluate(code, 'commonjs', await consumer(['express']));
  expect(names).toEqual(expect.arrayContaining(PUBLIC_NAMES));
});

test('the conformance suite for stores is importable, and brings no test runner', async () => {
  const code = `console.log(JSON.stringify(Object.keys(await import('mcp-session-routing/store-conformance'))))`;
  expect(await evaluate(code, 'module', await consumer(['express']))).not.toEqual([]);
});

test('OpenTelemetry is loaded by its own entry only, which says what is missing', async () => {
  const folder = await consumer(['express']);
  const gateway = `
    import { createServer } from 'node:http';
    import { mcpSessionRouting, sessionForwarder } from 'mcp-session-routing';
    const sessions = mcpSessionRouting(null, { debug: true });
    const forward = sessionForwarder({ target: 'http://127.0.0.1:9' });
    const server = createServer((req, res) => sessions(req, res, () => forward(req, res)));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { status } = await fetch('http://127.0.0.1:' + server.address().port, { method: 'POST' });
    server.close();
    await sessions.close();
    console.log(JSON.stringify([status, sessions.stats().decisions.new]));
  `;
  expect(await evaluate(gateway, 'module', folder)).toEqual([503, 1]);
  const entry = `import('mcp-session-routing/opentelemetry').catch(({ code, message }) => console.log(JSON.stringify([code, message])))`;
  const [code, message] = await evaluate(entry, 'module', folder);
  expect([code, message]).toEqual([
    'ERR_MODULE_NOT_FOUND',
    expect.stringContaining('@opentelemetry/api'),
  ]);
  const there = await consumer(['express', '@opentelemetry/api']);
  const names = `console.log(JSON.stringify(Object.keys(await import('mcp-session-routing/opentelemetry'))))`;
  expect(await evaluate(names, 'module', there)).toEqual(['openTelemetry']);
});

const GATEWAY = `
import express from 'express';
import { createProxyMiddleware, type Options } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
import {
  BACKEND_URL,
  mcpSessionRouting,
  MemoryStore,
  recommendedRedisOptions,
  RedisStore,
  sessionPlugin,
  sessionRouter,
  SessionRoutingError,
  type McpSessionRoutingOptions,
  type SessionRecord,
  type SessionStore,
} from 'mcp-session-routing';

const app = express();
app.use(mcpSessionRouting());
app.use(mcpSessionRouting(null));
app.use(mcpSessionRouting(new MemoryStore()));
app.use(mcpSessionRouting(new Map()));
const redis = new Redis('redis://localhost', recommendedRedisOptions);
app.use(mcpSessionRouting(redis));

const store: SessionStore = new RedisStore({ client: redis });
const options: McpSessionRoutingOptions = { backends: ['http://mcp-0:8080'] };
app.use(mcpSessionRouting(store, options));
// @ts-expect-error no such option
app.use(mcpSessionRouting(store, { bakends: [] }));

const proxy: Options = { router: sessionRouter, plugins: [sessionPlugin] };
app.all('/mcp', createProxyMiddleware(proxy));
app.all('/mcp', createProxyMiddleware({ router: sessionRouter, plugins: [sessionPlugin] }));

export const backendOf = (record: SessionRecord): string | undefined => record[BACKEND_URL];
export const codeOf = (error: unknown): string | undefined =>
  error instanceof SessionRoutingError ? error.code : undefined;
`;

test.each(['http-proxy-middleware', 'http-proxy-middleware3'])(
  'a strict TypeScript gateway with %s compiles',
  async (proxy) => {
    const folder = await consumer(['express', 'ioredis'], { 'http-proxy-middleware': proxy });
    await writeFile(path.join(folder, 'gateway.ts'), GATEWAY);
    expect(await compile(folder)).toBe('');
  },
);

test('the types need neither the optional peers nor skipLibCheck, in both module systems', async () => {
  const folder = await consumer(['express']);
  const code = `
    import { mcpSessionRouting } from 'mcp-session-routing';
    export const routing = mcpSessionRouting();
  `;
  await writeFile(path.join(folder, 'gateway.mts'), code);
  await writeFile(path.join(folder, 'gateway.cts'), code);
  expect(await compile(folder, { skipLibCheck: false })).toBe('');
});

test('the code in the documentation compiles, and the test of a store of your own passes', async () => {
  const folder = await consumer([
    ...['express', 'ioredis', 'http-proxy-middleware', '@jest/globals'],
    ...['@modelcontextprotocol/sdk', 'redis', 'prom-client', '@opentelemetry/api'],
    ...['@opentelemetry/sdk-metrics', '@opentelemetry/exporter-prometheus'],
  ]);
  const blocks = await documentedCode();
  expect(blocks.length).toBeGreaterThan(5);
  for (const { file, code } of blocks) await writeFile(path.join(folder, file), code);
  expect(await compile(folder, { noEmit: false })).toBe('');
  const suites = blocks.filter(({ code }) => code.includes('node:test'));
  const suite = suites.find(({ page }) => page === 'docs/stores.md')?.file ?? 'none';
  const flags = ['--test-reporter=tap', suite.replace(/ts$/, 'js')];
  const { stdout } = await run(process.execPath, flags, { cwd: folder });
  expect(stdout).toMatch(/^# pass [1-9]/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});

/** A project with the packed package, its dependencies and the named packages. */
async function consumer(
  packages: string[] = [],
  aliases: Record<string, string> = {},
): Promise<string> {
  const folder = await mkdtemp(path.join(work, 'consumer-'));
  const installed = path.join(folder, 'node_modules/mcp-session-routing');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const manifest = await readFile(path.join(installed, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const names = [...Object.keys(dependencies), ...packages, '@types/express', '@types/node'];
  const links = { ...Object.fromEntries(names.map((name) => [name, name])), ...aliases };
  for (const [name, target] of Object.entries(links)) {
    const link = path.join(folder, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(modules, target), link);
  }
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  return folder;
}

async function evaluate(code: string, type: string, cwd: string): Promise<unknown[]> {
  const args = [`--input-type=${type}`, '--eval', code];
  const { stdout } = await run(process.execPath, args, { cwd });
  return JSON.parse(stdout) as unknown[];
}

/** @returns what the compiler says, the empty string if it is content */
async function compile(folder: string, options: object = {}): Promise<string> {
  const compilerOptions = {
    ...{ target: 'es2023', module: 'nodenext', types: ['node'], noEmit: true },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true },
    ...options,
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = path.join(modules, 'typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', folder]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}
