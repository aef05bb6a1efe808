import http from 'node:http';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser, visit, type Visit } from '../helpers/browser.ts';
import { onCleanup, startForAll } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';
import { call, initialize, openSession, openStream } from '../helpers/mcp-client.ts';
import {
  hashOf,
  statusGateway,
  type StatusGateway,
  type StatusGatewayOptions,
} from '../helpers/status-gateway.ts';
import { STATUS_PATH, watch } from '../helpers/status-page.ts';
import { until } from '../helpers/until.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SCHEMES = ['light', 'dark'] as const;
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;

let browser: Browser;

beforeAll(async () => {
  browser = await startForAll(startBrowser);
});

interface Scene extends Visit {
  readonly gw: StatusGateway;
}

/** A gateway, and a browser that looks at its page and is shown how things are. */
async function scene(
  given: StatusGatewayOptions & {
    readonly path?: string;
    readonly context?: BrowserContextOptions;
  } = {},
): Promise<Scene> {
  const { path = STATUS_PATH, context, ...options } = given;
  const gw = await statusGateway(options);
  const seen = await visit(browser, gw.url + path, context);
  await expectText(seen.page, '#connection', 'live');
  return { gw, ...seen };
}

/** Waits until an element says so. */
async function expectText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  const hasText = typeof text === 'string' ? new RegExp(`^${text}$`) : text;
  await page.locator(selector, { hasText }).waitFor();
}

/** The row of a backend. */
const rowOf = (page: Page, origin: string): ReturnType<Page['locator']> =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: origin }) });

async function expectState(page: Page, origin: string, state: string): Promise<void> {
  await rowOf(page, origin).getByText(state, { exact: true }).waitFor();
}

/** Waits until the page says that something has changed. */
async function expectNews(page: Page, text: string): Promise<void> {
  await page.getByRole('status').getByText(text).waitFor();
}

/** Red, green and blue. */
async function colorOf(page: Page, origin: string, state: string): Promise<number[]> {
  const shown = rowOf(page, origin).getByText(state, { exact: true });
  const color = await shown.evaluate((node) => {
    const { color } = Reflect.get(globalThis, 'getComputedStyle')(node) as { color: string };
    return color;
  });
  return [...color.matchAll(/\d+/g)].map(Number);
}

test('sessions appear as they are opened, called and streamed', async () => {
  const { gw, page, complaints } = await scene();
  const [id] = [await openSession(gw), await openSession(gw)];
  await call(gw, id);
  await openStream(gw, id);
  await expectText(page, '[data-number=opened]', '2');
  await expectText(page, '[data-number=streams]', '1');
  await expectText(page, '[data-kind=pinned]', '1');
  for (const [origin, opened, streams] of [
    [gw.origins[0], '1', '1'],
    [gw.origins[1], '1', '0'],
  ] as const) {
    await rowOf(page, origin).locator('[data-is=opened]').getByText(opened).waitFor();
    await rowOf(page, origin).locator('[data-is=streams]').getByText(streams).waitFor();
  }
  const recent = page.locator('#decisions tbody tr');
  await recent.filter({ hasText: `new${hashOf(id)}${gw.origins[0]}POST200` }).waitFor();
  await recent.filter({ hasText: `pinned${hashOf(id)}${gw.origins[0]}POST200` }).waitFor();
  expect(await page.content()).not.toContain(id);
  expect(complaints).toEqual([]);
});

test('charts draw the calls of the last minute, those of a backend among them', async () => {
  const { gw, page } = await scene();
  const id = await openSession(gw);
  for (let count = 0; count < 20; count += 1) await call(gw, id);
  const top = async (selector: string): Promise<number> => {
    const path = await page.locator(selector).first().getAttribute('d');
    const heights = [...(path ?? '').matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
    return Math.min(20, ...heights);
  };
  await until(async () => (await top('.chart .curve')) < 10);
  await until(async () => (await top('#backends tbody tr:nth-child(1) .curve')) < 10);
  expect(await top('#backends tbody tr:nth-child(2) .curve')).toBe(20);
  await expectText(page, '#peak', /at most \d+ in the last minute/);
});

describe.each(SCHEMES)('in the %s scheme', (colorScheme) => {
  test('a backend that dies turns red and is said to be down; when it is back it turns green', async () => {
    const { gw, page, complaints } = await scene({ context: { colorScheme } });
    const [origin] = gw.origins;
    await expectState(page, origin, 'up');
    const up = await colorOf(page, origin, 'up');
    expect(up[1]).toBeGreaterThan(1.4 * Math.max(up[0] ?? 255, up[2] ?? 255));
    await gw.backends[0].refuse();
    for (let count = 0; count < 2; count += 1) await initialize(gw);
    await expectState(page, origin, 'down');
    const [red = 0, ...others] = await colorOf(page, origin, 'down');
    expect(red).toBeGreaterThan(1.4 * Math.max(...others));
    await expectNews(page, `${origin} is down`);
    expect(await page.title()).toBe('(1 down) MCP sessions');
    await gw.backends[0].reopen();
    await expectState(page, origin, 'up');
    expect(await colorOf(page, origin, 'up')).toEqual(up);
    expect(await page.title()).toBe('MCP sessions');
    expect(complaints).toEqual([]);
  });

  test('the page has the colours of the scheme, and none of its own where it is empty', async () => {
    const { page } = await scene({ context: { colorScheme } });
    const light = await page.evaluate<number>(
      'Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])',
    );
    expect(light > 128).toBe(colorScheme === 'light');
  });

  test.each([
    ['a screen', {}],
    ['a phone', PHONE],
  ])('it has nothing that is in the way of disabled people, on %s', async (_what, device) => {
    const context = { ...device, colorScheme, bypassCSP: true };
    const { gw, page } = await scene({ context });
    await busy(gw);
    await expectState(page, gw.origins[0], 'down');
    await expectText(page, '[data-number=refused]', '1');
    await page.addScriptTag({ path: AXE });
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations, passes } = await page.evaluate<{
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      passes: { id: string }[];
    }>(`axe.run(document, { runOnly: ${JSON.stringify(tags)} })`);
    expect(
      violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => [id, node.html, node.failureSummary]),
      ),
    ).toEqual([]);
    expect(passes.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['color-contrast', 'button-name', 'page-has-heading-one', 'region']),
    );
  });
});

/** Sessions, calls, a stream, a refusal, a backend that is down and one that drains. */
async function busy(gw: StatusGateway): Promise<void> {
  const [, id] = [await openSession(gw), await openSession(gw)];
  await openStream(gw, id);
  await call(gw, 'guessed');
  await gw.backends[0].refuse();
  for (let count = 0; count < 2; count += 1) await initialize(gw);
  gw.sessions.backends.drain(gw.origins[1]);
}

test('the drain button drains by keyboard alone, and its backend gets no new session', async () => {
  const { gw, page, complaints } = await scene();
  const [first, second] = gw.origins;
  await expectState(page, first, 'up');
  const focused = (): Promise<string | null> =>
    page.evaluate('document.activeElement.getAttribute("aria-label")');
  for (let tabs = 0; (await focused()) !== `Drain ${first}`; tabs += 1) {
    expect(tabs).toBeLessThan(10);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expectState(page, first, 'draining');
  await expectNews(page, `${first} is draining`);
  for (let count = 0; count < 4; count += 1) await openSession(gw);
  expect(gw.backends.map(({ sessions }) => sessions.size)).toEqual([0, 4]);
  await rowOf(page, second).locator('[data-is=opened]').getByText('4').waitFor();
  expect(await focused()).toBe(`Undrain ${first}`);
  await page.keyboard.press('Space');
  await expectState(page, first, 'up');
  expect(await focused()).toBe(`Drain ${first}`);
  await openSession(gw);
  expect(gw.backends[0].sessions.size).toBe(1);
  expect(complaints).toEqual([]);
});

test('what has the focus can be seen', async () => {
  const { gw, page } = await scene();
  await page.getByRole('button', { name: `Drain ${gw.origins[0]}` }).focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe(
    'solid',
  );
});

test('a button that cannot do it says why', async () => {
  const listed = { url: 'http://127.0.0.1:1', draining: true };
  const { page } = await scene({ options: { backends: [listed] } });
  await page.getByRole('button', { name: `Undrain ${listed.url}` }).click();
  await expectNews(page, 'because the list of backends says so');
});

test('nothing is asked of anybody but the gateway, wherever the page is mounted', async () => {
  for (const path of [STATUS_PATH, `${STATUS_PATH}/`, `${STATUS_PATH}?x`]) {
    const { gw, page, complaints, requests } = await scene({ path });
    await page.getByRole('button', { name: `Drain ${gw.origins[0]}` }).click();
    await expectState(page, gw.origins[0], 'draining');
    const paths = requests.filter((url) => !url.startsWith('data:'));
    expect(paths).toEqual(
      ['', '/events', '/drain'].map((each, at) =>
        at === 0 ? gw.url + path : `${gw.url}${STATUS_PATH}${each}`,
      ),
    );
    expect(complaints).toEqual([]);
  }
});

test('a phone needs no scrolling to the side, and shows all there is', async () => {
  const { gw, page } = await scene({ context: PHONE });
  await busy(gw);
  await expectState(page, gw.origins[0], 'down');
  await expectText(page, '[data-number=refused]', '1');
  const wide = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  );
  expect(wide).toEqual([360, 360]);
  await page.getByRole('button', { name: `Undrain ${gw.origins[1]}` }).tap();
  await expectState(page, gw.origins[1], 'up');
  expect(await rowOf(page, gw.origins[1]).getByRole('cell').count()).toBe(7);
});

test('the name of a backend is text, whatever it says', async () => {
  const id = `<img src=x onerror="document.title='taken over'"><script>document.title='too'</script>`;
  const { gw, page, complaints } = await scene({
    options: { backends: [{ url: 'http://127.0.0.1:1', id }] },
  });
  await page.getByText(id, { exact: true }).waitFor();
  await call(gw, '"><script>');
  await expectText(page, '[data-number=refused]', '1');
  expect(await page.title()).toBe('MCP sessions');
  expect(await page.locator('img, main script').count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('a connection that is lost is said to be, and comes back by itself', async () => {
  const { gw, page } = await scene();
  const closed = new Promise((resolve) => gw.server.once('close', resolve));
  gw.server.close();
  gw.reset();
  await closed;
  await expectText(page, '#connection', 'lost, retrying');
  await expectNews(page, 'The connection to the gateway is lost');
  await gw.reopen();
  await expectText(page, '#connection', 'live');
  await expectNews(page, 'The gateway answers again');
  await openSession(gw);
  await expectText(page, '[data-number=opened]', '1');
});

test('a page that was sent away comes back when it may', async () => {
  let full = true;
  const { gw, page } = await scene({
    before(app) {
      app.get(`${STATUS_PATH}/events`, (_req, res, next) => {
        full = !full;
        if (full) res.status(503).end();
        else next();
      });
    },
  });
  gw.reset();
  await until(() => full);
  await until(() => !full);
  await openSession(gw);
  await expectText(page, '[data-number=opened]', '1');
  expect(await page.locator('#connection').textContent()).toBe('live');
});

test('a page that is paused stays as it is, until it goes on', async () => {
  const { gw, page } = await scene();
  const button = page.getByRole('button', { name: 'Pause' });
  await button.click();
  await expectText(page, '#connection', 'paused');
  expect(await button.getAttribute('aria-pressed')).toBe('true');
  await openSession(gw);
  // Whoever watches is told at the same time.
  const { snapshots } = await watch(gw.url);
  await until(() => snapshots.length > 2);
  expect(await page.locator('[data-number=opened]').textContent()).toBe('0');
  await button.click();
  await expectText(page, '[data-number=opened]', '1');
  await expectText(page, '#connection', 'live');
});

test('a browser with the password sees the page, its events and its buttons; one without does not', async () => {
  const expected = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
  const { gw, page } = await scene({
    page: {
      auth(req, res) {
        if (req.headers.authorization === expected) return true;
        res.set('WWW-Authenticate', 'Basic realm="status"');
        return false;
      },
    },
    context: { httpCredentials: { username: 'ann', password: 'secret' } },
  });
  await page.getByRole('button', { name: `Drain ${gw.origins[0]}` }).click();
  await expectState(page, gw.origins[0], 'draining');
  const stranger = await visit(browser, 'about:blank', {
    httpCredentials: { username: 'ann', password: 'guess' },
  });
  const answer = await stranger.page.goto(gw.url + STATUS_PATH);
  expect([answer?.status(), await answer?.text()]).toEqual([401, 'This page is not for you.']);
});

test('no page of another site drains a backend, even with the credentials of its visitor', async () => {
  const pressed: string[] = [];
  const { gw, page } = await scene({
    before(app) {
      app.use(STATUS_PATH, (req, res, next) => {
        if (req.method === 'GET') res.cookie('session', 'ann', { sameSite: 'lax' });
        else res.once('finish', () => pressed.push(`${req.method} ${res.statusCode}`));
        next();
      });
    },
  });
  const target = `${gw.url}${STATUS_PATH}/drain`;
  const body = JSON.stringify({ url: gw.origins[0] });
  const evil = http.createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(
      `<form method="post" enctype="text/plain" action="${target}"><input name='{"url":"${gw.origins[0]}","x":"' value='"}'></form>`,
    );
  });
  const { port, ...site } = await listen(evil);
  onCleanup(() => site.close());
  await page.goto(`http://localhost:${port}/`);
  const attempts = [
    `fetch('${target}', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '${body}' })`,
    `fetch('${target}', { method: 'POST', credentials: 'include', body: '${body}', headers: { 'Content-Type': 'application/json', 'MCP-Status-Gateway': 'x' } })`,
    `navigator.sendBeacon('${target}', '${body}')`,
  ];
  for (const attempt of attempts) await page.evaluate(`(async () => ${attempt})().catch(() => {})`);
  await page.evaluate('document.forms[0].submit()');
  await until(() => pressed.length >= 4);
  expect(new Set(pressed)).toEqual(new Set(['POST 403', 'OPTIONS 405']));
  expect(gw.sessions.backends.list().map(({ state }) => state)).toEqual(['up', 'up']);
});
