import { describe, expect, test } from '@jest/globals';
import {
  gateway,
  type Gateway,
  type GatewayOptions,
  type ProxyKind,
} from '../../helpers/gateway.ts';
import { openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { sessionLines } from '../../helpers/raw-mcp.ts';
import { scriptedBackend, type ScriptedBackend } from '../../helpers/scripted-backend.ts';

const asSent = [
  '/mcp?a=1//2',
  '/mcp?a=%7B%7d&b={x|y}&c=..',
  '/mcp?next=/../admin&dots=../..',
  '/mcp?',
  '/mcp??',
  '/mcp?a=1?b=2',
  "/mcp?q=a;b,c!'()*~",
  '/mcp?u=%C3%BC%E6%97%A5',
  '/mcp?bad=%zz%',
  '/mcp?url=http://other/mcp',
];

const asSentBelow = [
  '/mcp/',
  '/mcp//x//y',
  '/mcp/%7B%7d/{x}|^`',
  '/mcp/a;b=1;c',
  '/mcp/%2e%2ea/...',
  '/mcp/%C3%BC%2F%20',
  '/mcp/x?a=1//2',
];

/** Paths that some backends take for another one. */
const dotted = [
  '/mcp/../admin',
  '/mcp/..',
  '/mcp/./admin',
  '/mcp/%2e%2e/admin',
  '/mcp/.%2E/admin',
  '/mcp%2f..%2fadmin',
  '/mcp/%2e%2e%2fadmin',
  '/mcp/..%2Fadmin',
  '/mcp/..\\admin',
  '/mcp\\..\\admin',
  '/mcp%5c%2e%2e%5cadmin',
  '/mcp/..;/admin',
  '/mcp/..;x=1/admin',
  '/admin/../mcp',
  '/admin/..\\mcp',
  'http://gateway/mcp/../admin',
];

/** Paths that some filters take for a host and a path. */
const misread = ['//admin/mcp', '/\\admin/mcp', '//admin/mcp/x'];

const mounts: Record<string, GatewayOptions> = {
  'app.all': { mount: (app, proxy) => void app.all('/mcp', proxy) },
  pathFilter: { proxyOptions: { pathFilter: '/mcp' } },
  'the root': {},
};

const mountsOf = (proxy: ProxyKind): [string, GatewayOptions][] =>
  Object.entries(mounts).filter(([where]) => proxy !== 'forward' || where !== 'pathFilter');

const reasonIn = (body: string): string => /"reason":"(\w+)"/.exec(body)?.[1] ?? 'none';

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  async function start(options: GatewayOptions): Promise<{
    gw: Gateway;
    backend: ScriptedBackend;
    get: (target: string, lines?: string[]) => Promise<string>;
  }> {
    const backend = await scriptedBackend();
    const gw = await gateway({
      express,
      proxy,
      options: { backends: backend.origin },
      ...options,
    });
    const get = (target: string, lines: string[] = []): Promise<string> =>
      rawHttp(gw.url, rawRequest(`GET ${target}`, ['Connection: close', ...lines]));
    return { gw, backend, get };
  }

  test.each(mountsOf(proxy))(
    'F6 sends path and query on as they came, under %s',
    async (where, options) => {
      const { backend, get } = await start(options);
      const targets = where === 'app.all' ? asSent : [...asSent, ...asSentBelow];
      for (const target of targets)
        expect([target, parseRaw(await get(target)).status]).toEqual([target, 200]);
      expect(backend.hits.map(({ url }) => url)).toEqual(targets);
    },
  );

  test.each(mountsOf(proxy))(
    'F6 sends the path of an absolute request line on, under %s',
    async (_where, options) => {
      const { backend, get } = await start(options);
      await get('http://gateway/mcp?a=1//2');
      await get('HTTP://other:80/mcp');
      expect(backend.hits.map(({ url }) => url)).toEqual(['/mcp?a=1//2', '/mcp']);
    },
  );

  test('F6 sends an absolute request line without a path on as "/"', async () => {
    const { backend, get } = await start({});
    await get('http://gateway?a=1');
    await get('http://gateway');
    expect(backend.hits.map(({ url }) => url)).toEqual(['/?a=1', '/']);
  });

  test.each(dotted)('F6 refuses %s', async (target) => {
    const { gw, backend, get } = await start({});
    const lines = sessionLines(await openSession(gw));
    for (const answer of [await get(target), await get(target, lines)].map(parseRaw)) {
      expect(answer.body).toContain('"reason":"invalid_path"');
      expect(answer.status).toBe(400);
    }
    expect(backend.hits).toHaveLength(1);
  });

  if (proxy !== 'forward') {
    test.each([...dotted, ...misread])('F6 sends %s nowhere under a filter', async (target) => {
      const { gw, backend, get } = await start({ proxyOptions: { pathFilter: '/mcp' } });
      const lines = sessionLines(await openSession(gw));
      const answers = [await get(target), await get(target, lines)].map(parseRaw);
      const [first, second] = answers.map(({ status, body }) => `${status} ${reasonIn(body)}`);
      // What the filter, by its own reading, does not take is left to Express.
      expect(['400 invalid_path', '404 none']).toContain(first);
      expect(second).toBe(first);
      expect(backend.hits).toHaveLength(1);
    });

    test('F6 refuses dot segments for sessionRouter alone', async () => {
      const { backend, get } = await start({ proxyOptions: { plugins: undefined } });
      expect(parseRaw(await get('/mcp/../admin'))).toMatchObject({ status: 400 });
      expect(backend.hits).toEqual([]);
    });

    test('F6 leaves path rewriting and ignorePath to the app', async () => {
      const rewriting = await start({ proxyOptions: { pathRewrite: { '^/mcp': '/inner//mcp' } } });
      await rewriting.get('/mcp?a=//');
      expect((await rewriting.backend.hit(0)).url).toBe('/inner//mcp?a=//');
      const ignoring = await start({ proxyOptions: { ignorePath: true } });
      await ignoring.get('/mcp?a=1');
      expect((await ignoring.backend.hit(0)).url).toBe('/');
    });

    test('F6 writes no line break that a rewritten path holds to the backend', async () => {
      const decode = (path: string): string => decodeURIComponent(path);
      const { backend, get } = await start({ proxyOptions: { pathRewrite: decode } });
      await get('/mcp%20HTTP/1.1%0D%0AX-Injected:%20yes%0D%0A%0D%0A');
      for (const { headers } of backend.hits) expect(headers).not.toHaveProperty('x-injected');
    });
  }

  test('D11 does not follow a redirect', async () => {
    const { backend, get } = await start({});
    backend.answer = ({ res }) => res.writeHead(307, { Location: `${backend.origin}/other` }).end();
    const answer = parseRaw(await get('/mcp'));
    expect([answer.status, answer.header('location')]).toEqual([307, `${backend.origin}/other`]);
    expect(backend.hits).toHaveLength(1);
  });
});
