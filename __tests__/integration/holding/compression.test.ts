import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import compression from 'compression';
import type { Express } from 'express';
import { heldOpening, type HeldOpening } from '../../helpers/held-opening.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw } from '../../helpers/raw-http.ts';
import { rawOpening } from '../../helpers/raw-mcp.ts';
import type { Answer } from '../../helpers/scripted-backend.ts';

const compress = (app: Express): unknown => app.use(compression({ threshold: 0 }));
const mounted = { before: { before: compress }, after: { between: compress } };

const long = JSON.stringify({ text: Array.from({ length: 100_000 }, (_, at) => at).join() });

const answers: { title: string; answer: Answer | undefined; body: RegExp }[] = [
  { title: 'a JSON answer', answer: undefined, body: /^{"jsonrpc":"2.0","result".*}$/ },
  {
    title: 'a long JSON answer',
    answer: ({ res }) =>
      res
        .writeHead(200, { 'Content-Type': 'application/json', 'Mcp-Session-Id': 'long-1' })
        .end(long),
    body: /^{"text":"0,1,2.*99998,99999"}$/,
  },
  {
    title: 'an event stream',
    answer: ({ res }) =>
      res
        .writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': 'stream-1' })
        .end('data: {}\n\n'),
    body: /^data: {}\n\n$/,
  },
];

function expectGzipped(text: string, body: RegExp): void {
  const answer = parseRaw(text);
  expect(answer.header('content-encoding')).toBe('gzip');
  expect(gunzipSync(Buffer.from(answer.body, 'latin1')).toString()).toMatch(body);
}

describe.each(stacks)('$name', ({ app: express, proxy }) => {
  describe.each(['before', 'after'] as const)('compression %s it', (where) => {
    const open = (answer: Answer | undefined, headers: string[] = []): Promise<HeldOpening> =>
      heldOpening({
        express,
        proxy,
        ...mounted[where],
        ...(answer ? { answer } : {}),
        request: rawOpening(['Accept-Encoding: gzip', 'Connection: close', ...headers]),
      });

    test.each(answers)('B1 holds $title', async ({ answer, body }) => {
      const { client, pending, storedAtFirstByte } = await open(answer);
      expect(client.text).toBe('');
      pending.store();
      expect(await storedAtFirstByte).toBe(true);
      await client.closed;
      expectGzipped(client.text, body);
    });

    test.each(answers)('B2 drops $title', async ({ answer }) => {
      const { client, pending } = await open(answer);
      pending.fail();
      await client.closed;
      expect(client.text).toMatch(/^HTTP\/1.1 503 Service Unavailable/);
      expect(client.text).not.toMatch(/mcp-session-id/i);
      const refusal = parseRaw(client.text);
      const bytes = Buffer.from(refusal.body, 'latin1');
      const read = refusal.header('content-encoding') === 'gzip' ? gunzipSync(bytes) : bytes;
      expect(JSON.parse(read.toString())).toMatchObject({
        error: { data: { reason: 'store_unavailable' } },
      });
    });
  });
});
