import { PassThrough, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { peekBody } from '../../../src/http/peek-body.ts';
import { chunked } from '../../helpers/raw-http.ts';
import { received, restOf, type Received } from './received.ts';

const POST = ['POST /mcp HTTP/1.1', 'Host: x'];
const LARGE = { maxBytes: 1024 * 1024, deadline: 60_000 };
/** What a stream buffers before it stops reading, in Node 20 and since. */
const HIGH_WATER_MARKS = [16 * 1024, 64 * 1024];

/** Something that begins and ends like a JSON object, of this many bytes (3 at least), with characters of one to four. */
function jsonOf(size: number): Buffer {
  const filler = '\u{1f600}\u20ac\u00e9x'.repeat(Math.ceil(size / 10) + 1);
  return Buffer.concat([Buffer.from(`{"a":"${filler}`).subarray(0, size - 2), Buffer.from('"}')]);
}

function split(body: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [
    0,
    ...cuts.map((cut) => Math.min(cut, body.length)).toSorted((a, b) => a - b),
    body.length,
  ];
  return at.slice(1).map((end, part) => body.subarray(at[part], end));
}

/** A request with this body, sent in these parts. */
async function sent(
  parts: readonly Buffer[],
  framing: 'length' | 'chunked',
): Promise<[Received, Promise<void>]> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = framing === 'length' ? `Content-Length: ${length}` : 'Transfer-Encoding: chunked';
  const request = await received([...POST, header]);
  async function send(): Promise<void> {
    const pieces =
      framing === 'length'
        ? parts
        : parts.filter((part) => part.length > 0).map((part) => chunked(part).subarray(0, -5));
    for (const piece of pieces) await request.send(piece);
    if (framing === 'chunked') await request.send('0\r\n\r\n');
  }
  return [request, send()];
}

const readers: readonly [string, (request: Received) => Promise<Buffer>][] = [
  ['an iterator', ({ req }) => restOf(req)],
  [
    '"data" and "end"',
    ({ req }) =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        req.on('data', (chunk: Buffer) => chunks.push(chunk));
        req.on('end', () => resolve(Buffer.concat(chunks)));
        req.on('error', reject);
      }),
  ],
  ['pipe', ({ req }) => restOf(req.pipe(new PassThrough()) as never)],
  [
    'a slow pipe',
    ({ req }) =>
      new Promise((resolve) => {
        const chunks: Buffer[] = [];
        const slow = new Writable({
          highWaterMark: 1,
          write(chunk: Buffer, _encoding, done) {
            chunks.push(chunk);
            setImmediate(done);
          },
          final: () => resolve(Buffer.concat(chunks)),
        });
        req.pipe(slow);
      }),
  ],
];

describe.each(readers)('what is looked at is left for %s', (_name, read) => {
  test.each(['length', 'chunked'] as const)(
    'by %s: whatever its size, in whatever parts it came',
    async (framing) => {
      const sizes = fc.oneof(
        fc.integer({ min: 3, max: 300 }),
        fc
          .constantFrom(...HIGH_WATER_MARKS)
          .chain((mark) => fc.integer({ min: mark - 2, max: mark + 2 })),
        fc.integer({ min: 100_000, max: 200_000 }),
      );
      const cuts = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(sizes, cuts, async (size, at) => {
          const body = jsonOf(size);
          const [request, delivered] = await sent(split(body, at), framing);
          const seen = (await peekBody(request.req, LARGE))?.toString();
          const [rest] = await Promise.all([read(request), delivered]);
          expect(rest.equals(body)).toBe(true);
          expect(seen).toBe(body.toString());
        }),
        { numRuns: 30 },
      );
    },
  );

  test('also where the look was given up because the body is too long', async () => {
    const body = jsonOf(50_000);
    const [request, delivered] = await sent(split(body, [10, 20_000]), 'chunked');
    expect(await peekBody(request.req, { ...LARGE, maxBytes: 20_000 })).toBeUndefined();
    const [rest] = await Promise.all([read(request), delivered]);
    expect(rest.equals(body)).toBe(true);
  });

  test('also where it was given up because the body is trickled', async () => {
    const request = await received([...POST, 'Content-Length: 12'], '{"a"');
    expect(await peekBody(request.req, { ...LARGE, deadline: 1 })).toBeUndefined();
    const rest = read(request);
    await request.send(':"bcd"}');
    await request.send('x');
    expect((await rest).toString()).toBe('{"a":"bcd"}x');
  });

  test('also where it was looked at twice', async () => {
    const request = await received([...POST, 'Content-Length: 7'], '{"a"');
    const first = peekBody(request.req, LARGE);
    await request.send(':1}');
    expect(String(await first)).toBe('{"a":1}');
    expect(String(await peekBody(request.req, LARGE))).toBe('{"a":1}');
    expect((await read(request)).toString()).toBe('{"a":1}');
  });
});

describe('the end of the body', () => {
  test.each([
    ['in one piece with the head', '{"a":1}'],
    ['empty, and in one piece with the head', ''],
  ])('is told to who reads it later: %s', async (_kind, body) => {
    for (const header of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
      const bytes = header.startsWith('C') ? body : chunked(...(body === '' ? [] : [body]));
      const { req } = await received([...POST, header], bytes);
      expect((await peekBody(req, LARGE))?.toString()).toBe(body === '' ? undefined : body);
      expect((await restOf(req)).toString()).toBe(body);
      expect(req.readableEnded).toBe(true);
    }
  });
});

describe('a body is looked at in vain', () => {
  test.each([
    ['no JSON object', [], 'method=initialize'],
    ['a JSON string', [], '"initialize"'],
    ['compressed', ['Content-Encoding: gzip'], gzipSync('{"method":"initialize"}')],
  ])('if it is %s', async (_kind, headers, body) => {
    const { req } = await received([...POST, ...headers, `Content-Length: ${body.length}`], body);
    expect(await peekBody(req, LARGE)).toBeUndefined();
    expect(await restOf(req)).toEqual(Buffer.from(body));
  });

  test('if it is announced as too long, and then nothing of it is read', async () => {
    const { req } = await received([...POST, 'Content-Length: 101'], '{');
    expect(await peekBody(req, { ...LARGE, maxBytes: 100 })).toBeUndefined();
    expect(req.readableDidRead).toBe(false);
  });

  test('if there is none', async () => {
    const { req } = await received(['GET /mcp HTTP/1.1', 'Host: x']);
    expect(await peekBody(req, LARGE)).toBeUndefined();
    expect(req.readableDidRead).toBe(false);
  });

  test('if the client breaks off', async () => {
    const request = await received([...POST, 'Content-Length: 100'], '{"a":');
    const { req } = request;
    req.on('error', () => {});
    const looked = peekBody(req, LARGE);
    request.leave();
    expect(await looked).toBeUndefined();
    expect(await peekBody(req, LARGE)).toBeUndefined();
  });

  test('as soon as its first character tells', async () => {
    const { req } = await received([...POST, 'Content-Length: 100'], ' \t\r\nx');
    expect(await peekBody(req, LARGE)).toBeUndefined();
  });
});

test('nothing stays behind on the request', async () => {
  for (const body of ['{"a":1}', 'x=1']) {
    const { req } = await received([...POST, `Content-Length: ${body.length}`], body);
    const before = req.eventNames().map((name) => [name, req.listenerCount(name)]);
    await peekBody(req, LARGE);
    expect(req.eventNames().map((name) => [name, req.listenerCount(name)])).toEqual(before);
  }
});

test('G3: a body of exactly maxBytes is read, one more is not', async () => {
  const body = jsonOf(1000);
  for (const framing of ['length', 'chunked'] as const) {
    const [{ req }] = await sent([body], framing);
    expect(String(await peekBody(req, { ...LARGE, maxBytes: 1000 }))).toBe(body.toString());
    const [another] = await sent([body], framing);
    expect(await peekBody(another.req, { ...LARGE, maxBytes: 999 })).toBeUndefined();
  }
});

test('G3: a body whose first character is late costs no more for each byte before it', async () => {
  const blanks = 20_000;
  const request = await received([...POST, `Content-Length: ${blanks + 2}`]);
  const looked = peekBody(request.req, LARGE);
  const before = process.cpuUsage();
  for (let sent = 0; sent < blanks; sent += 1) await request.send(' ');
  const { user } = process.cpuUsage(before);
  await request.send('{}');
  expect((await looked)?.toString().trim()).toBe('{}');
  expect(user).toBeLessThan(1_500_000);
});
