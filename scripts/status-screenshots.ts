// Takes the pictures of the status page in docs/: real servers, real clients, a minute of calls. `npm run screenshots`
// It needs pngquant, and the fonts of fonts-noto-core and fonts-noto-mono.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { chromium } from 'playwright-core';
import { openClient, post } from '../examples/demo/clients.ts';
import { startServers } from '../examples/demo/servers.ts';
import { mcpSessionRouting, sessionForwarder } from '../src/index.ts';
import { requireBrowser } from './ensure-browser.mjs';

const DOCS = path.join(import.meta.dirname, '..', 'docs');
const CLIENTS = 14;
/** Longer than a chart (ms). */
const TIME = 75_000;
const SIZE = { width: 1040, height: 880 };

const lasting = await startServers(['mcp-0', 'mcp-1', 'mcp-2']);
const dying = await startServers(['mcp-3']);
const origins = [...lasting.origins, ...dying.origins];
const sessions = mcpSessionRouting(null, {
  backends: origins.map(([id, url]) => ({ id, url })),
});
const app = express();
app.use('/_mcp', sessions.statusPage({ auth: false }));
app.use(sessions);
app.all('/mcp', sessionForwarder());
const server = http.createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

try {
  await Promise.all([drive(`${gateway}/mcp`), photograph(`${gateway}/_mcp`)]);
} finally {
  server.close();
  server.closeAllConnections();
  await sessions.close();
  await Promise.all([lasting.stop(), dying.stop()]);
}

/** Clients come, call now more and now less often, and some leave; a server dies, another one is drained. */
async function drive(url: string): Promise<void> {
  const until = performance.now() + TIME;
  const left = (): number => until - performance.now();
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openClient(url)));
  const calling = clients.map(async (client, number) => {
    while (left() > 0) {
      await client.count().catch(() => undefined);
      const swell = 1.4 + Math.sin(left() / 6000 + number / 5);
      await pause(60 + (900 * Math.random()) / swell);
    }
  });
  await pause(TIME * 0.7);
  await dying.stop();
  sessions.backends.drain(lasting.origins.get('mcp-1') ?? '');
  await Promise.all(clients.slice(0, 2).map((client) => client.end()));
  for (const guess of ['guess', 'another']) await post(url, guess);
  const late = openClient(url).then(() => openClient(url));
  await Promise.all([...calling, late]);
}

/** While they call, and after all that happens. */
async function photograph(url: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: requireBrowser(),
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const schemes = ['light', 'dark'] as const;
  const taken = schemes.map(async (colorScheme) => {
    const page = await browser.newPage({ colorScheme, viewport: SIZE, deviceScaleFactor: 1.5 });
    await page.goto(url);
    await pause(TIME * 0.9);
    const file = path.join(DOCS, `status-page-${colorScheme}.png`);
    await page.screenshot({ path: file });
    // A third of the size, and no eye sees it.
    execFileSync('pngquant', ['--force', '--ext', '.png', '--speed', '1', file]);
  });
  await Promise.all(taken);
  await browser.close();
}
