import { expect, test } from '@jest/globals';
import type { AllowedOrigins } from '../../src/index.ts';
import { gateway } from '../helpers/gateway.ts';
import { INITIALIZE, openSession } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { rawConnection, rawHttp, rawRequest } from '../helpers/raw-http.ts';
import { sessionLines } from '../helpers/raw-mcp.ts';
import { scriptedBackend } from '../helpers/scripted-backend.ts';
import { warnings } from '../helpers/warnings.ts';

const OWN = 'https://app.example.com';
const CLOSE = 'Connection: close';
const FOREIGN = [
  'null',
  '',
  'https://app.example.com.evil.example',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://evil.example',
  'https://app.example.com/',
  'https://APP.example.com@evil.example',
  `${OWN}, https://evil.example`,
  '*',
];
const BODY = '"error":{"code":-32000,"message":"Forbidden: Origin is not allowed"';

async function start(
  allowedOrigins: AllowedOrigins,
  { app: express, proxy }: (typeof stacks)[number],
): Promise<{
  ask: (lines: readonly string[], method?: string) => Promise<string>;
  hits: unknown[];
}> {
  const backend = await scriptedBackend();
  const gw = await gateway({
    express,
    proxy,
    options: { backends: backend.origin, allowedOrigins },
  });
  const id = await openSession(gw);
  backend.hits.length = 0;
  return {
    hits: backend.hits,
    ask: (lines, method = 'POST') =>
      rawHttp(gw.url, rawRequest(`${method} /mcp`, [CLOSE, ...sessionLines(id), ...lines], '{}')),
  };
}

test.each(stacks)(
  'a page of another origin gets 403, and nothing else is done ($name)',
  async (stack) => {
    const { ask, hits } = await start([OWN, 'http://localhost:5173'], stack);
    for (const origin of FOREIGN) {
      for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS']) {
        const answer = await ask([`Origin: ${origin}`], method);
        expect(answer).toMatch(/^HTTP\/1.1 403 /);
        expect(answer).toContain(BODY);
      }
    }
    expect(await ask([`Origin: ${OWN}`, 'Origin: https://evil.example'])).toMatch(
      /^HTTP\/1.1 403 /,
    );
    expect(hits).toEqual([]);
  },
);

test.each(stacks)('its own pages pass, and whoever is no browser ($name)', async (stack) => {
  const { ask, hits } = await start(['https://App.example.com', 'http://localhost:5173'], stack);
  for (const lines of [[`Origin: ${OWN}`], ['Origin: http://localhost:5173'], []])
    expect(await ask(lines)).toMatch(/^HTTP\/1.1 20/);
  expect(hits).toHaveLength(3);
});

test.each(stacks)('a function is asked; only true allows ($name)', async (stack) => {
  const warned = warnings();
  const { ask } = await start((origin) => {
    if (origin === 'https://throws.example') throw new Error('broken');
    return (origin === 'https://odd.example' ? 1 : origin.endsWith(OWN)) as boolean;
  }, stack);
  expect(await ask([`Origin: ${OWN}`])).toMatch(/^HTTP\/1.1 20/);
  for (const origin of ['https://throws.example', 'https://odd.example', 'null'])
    expect(await ask([`Origin: ${origin}`])).toMatch(/^HTTP\/1.1 403 /);
  expect(await ask([`Origin: https://evil.example`, `Origin: ${OWN}`])).toMatch(/^HTTP\/1.1 403 /);
  expect(warned).toHaveLength(1);
});

test.each(stacks)(
  'the body of a refused page is not waited for ($name)',
  async ({ app: express, proxy }) => {
    const backend = await scriptedBackend();
    const options = { backends: backend.origin, allowedOrigins: [OWN] };
    const gw = await gateway({ express, proxy, options });
    const client = await rawConnection(gw.url);
    client.write(
      `POST /mcp HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nContent-Length: 1000\r\n\r\n${INITIALIZE}`,
    );
    expect(await client.until(BODY)).toMatch(/\r\nconnection: close/i);
    await client.closed;
    expect(backend.hits).toEqual([]);
  },
);
