import { describe, expect, test } from '@jest/globals';
import express, { type Express } from 'express';
import { gateway, type Gateway } from '../../helpers/gateway.ts';
import { INITIALIZE, openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { parseRaw, rawConnection, rawRequest } from '../../helpers/raw-http.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';

const CALL = '{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"text":"größer"}}';
const LONG = JSON.stringify({ jsonrpc: '2.0', id: 4, method: 'x', params: 'y'.repeat(200_000) });

/** Everything that reads a request, after the middleware has looked at its body. */
const readers: Record<string, (app: Express) => unknown> = {
  'express.json()': (app) =>
    app.post('/mcp/read', express.json({ limit: '1mb', strict: false }), (req, res) => {
      res.end(req.body === undefined ? '' : JSON.stringify(req.body));
    }),
  'for await': (app) =>
    app.post('/mcp/read', (req, res, next) => {
      const echo = async (): Promise<void> => {
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk as Buffer);
        res.end(Buffer.concat(chunks));
      };
      echo().catch(next);
    }),
  '"data"': (app) =>
    app.post('/mcp/read', (req, res) => {
      let text = '';
      req.setEncoding('utf8');
      req.on('data', (chunk: string) => (text += chunk)).on('end', () => void res.end(text));
    }),
  '"readable"': (app) =>
    app.post('/mcp/read', (req, res) => {
      let text = '';
      req.setEncoding('utf8');
      req.on('readable', () => (text += (req.read() as string | null) ?? ''));
      req.on('end', () => void res.end(text));
    }),
  'a late "data"': (app) =>
    app.post('/mcp/read', (req, res) => {
      setImmediate(() => {
        let text = '';
        req.setEncoding('utf8');
        req.on('data', (chunk: string) => (text += chunk)).on('end', () => void res.end(text));
      });
    }),
  pipe: (app) => app.post('/mcp/read', (req, res) => void req.pipe(res)),
  'the proxy': () => {},
};

/** The bytes on the wire, each in a write of its own. */
const spellings: Record<string, (body: string) => Buffer[]> = {
  'in one piece': (body) => [rawRequest('POST /mcp/read', lines, body)],
  'in three pieces'(body) {
    const bytes = rawRequest('POST /mcp/read', lines, body);
    const head = bytes.indexOf('\r\n\r\n') + 4;
    return [bytes.subarray(0, head), bytes.subarray(head, head + 9), bytes.subarray(head + 9)];
  },
  chunked(body) {
    const chunk = (text: string): Buffer =>
      Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    const head = rawRequest('POST /mcp/read', [...lines, 'Transfer-Encoding: chunked']);
    return [head, chunk(body.slice(0, 5)), chunk(body.slice(5)), Buffer.from('0\r\n\r\n')];
  },
};

const lines = ['Content-Type: application/json', 'Connection: close'];

describe.each(stacks)('$name', ({ app: major, proxy }) => {
  async function start(read: (app: Express) => unknown): Promise<{ gw: Gateway; id: string }> {
    const backend = await scriptedBackend(
      (hit) => hit.url === '/mcp/read' && hit.res.end(hit.body),
    );
    const options = { backends: backend.origin };
    const gw = await gateway({
      express: major,
      proxy,
      options,
      between: (app) => void read(app),
    });
    return { gw, id: await openSession(gw) };
  }

  describe.each(Object.entries(readers))('read by %s', (_reader, read) => {
    test.each(Object.entries(spellings))(
      'F2 a body that was looked at is all there, sent %s',
      async (_spelling, spell) => {
        const { gw, id } = await start(read);
        for (const [session, body] of [
          ['unknown', INITIALIZE],
          [id, CALL],
          [id, LONG],
        ] as const) {
          const client = await rawConnection(gw.url);
          const [first = Buffer.alloc(0), ...others] = spell(body);
          const head = first
            .toString('latin1')
            .replace('\r\n', `\r\nMcp-Session-Id: ${session}\r\n`);
          for (const bytes of [Buffer.from(head, 'latin1'), ...others]) {
            await new Promise((sent) => client.socket.write(bytes, sent));
          }
          await client.closed;
          expect(Buffer.from(parseRaw(client.text).body, 'latin1').toString()).toBe(body);
        }
      },
    );
  });

  test('F2 a chunked body without bytes ends for whoever reads it', async () => {
    for (const [reader, read] of Object.entries(readers)) {
      const { gw, id } = await start(read);
      const client = await rawConnection(gw.url);
      const chunked = [...lines, `Mcp-Session-Id: ${id}`, 'Transfer-Encoding: chunked'];
      client.write(rawRequest('POST /mcp/read', chunked));
      await new Promise((sent) => client.socket.write('0\r\n\r\n', sent));
      await client.closed;
      expect([reader, parseRaw(client.text).status]).toEqual([reader, 200]);
    }
  });
});

test('G2 a body that comes slowly holds up nobody else', async () => {
  const backend = await scriptedBackend();
  const gw = await gateway({ options: { backends: backend.origin } });
  const client = await rawConnection(gw.url);
  const half = rawRequest('POST /mcp', [
    'Mcp-Session-Id: unknown',
    'Content-Length: 100',
    ...lines,
  ]);
  client.write(Buffer.concat([half, Buffer.from('{"half":')]));
  for (let turn = 0; turn < 5; turn += 1) await openSession(gw);
  expect(client.text).toBe('');
  client.write(Buffer.alloc(92, ' '));
  await client.closed;
  expect(parseRaw(client.text)).toMatchObject({ status: 400 });
});
