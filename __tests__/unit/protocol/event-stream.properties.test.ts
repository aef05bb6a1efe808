import { ServerResponse, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { StreamScan } from '../../../src/http/stream-scan.ts';
import { endOfComments, firstEvent, withData } from '../../../src/protocol/event-stream.ts';

const LIMIT = 1024 * 1024;
const part = fc.constantFrom(
  ...[
    '\n',
    '\r\n',
    '\r',
    '\n\n',
    '\r\r',
    '\n\r',
    ':',
    ': c',
    'data',
    'data:',
    'data: x',
    'event: e',
  ],
  ...['event', 'id: 1', 'retry: 5', ' ', '\0', '\xef\xbb\xbf', '\xef', '\xff', 'x', 'data:data:'],
);
/** Any bytes of a stream, each as one character. */
const stream = fc.oneof(
  fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const cuts = fc.array(fc.nat(120), { maxLength: 8 });

function split(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.toSorted((a, b) => a - b), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], Math.max(end, 0)));
}

/** The data of all events, read line by line as HTML, 9.2.6, has it: written a second time, and in another way. */
function dataOf(text: string): string[] {
  const lines = text.replace(/^\xef\xbb\xbf/, '').split(/\r\n|\n|\r/);
  const events: string[] = [];
  let data: string[] = [];
  // The last one has no end.
  for (const line of lines.slice(0, -1)) {
    if (line === '' && data.length > 0) events.push(data.splice(0).join('\n'));
    else if (line === 'data') data.push('');
    else if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
  }
  data = [];
  return events;
}

interface Scanned {
  readonly sent: string;
  readonly events: readonly string[];
}

function scan(parts: readonly string[], maxBytes = LIMIT): Scanned {
  const sent: Buffer[] = [];
  const events: string[] = [];
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  const options = {
    maxBytes,
    onEvent: (data: string) => void events.push(data),
    onTooLong: () => {},
  };
  const scanner = new StreamScan(options, res, (_method, [chunk]) => {
    if (Buffer.isBuffer(chunk)) sent.push(chunk);
    return true;
  });
  for (const each of parts) scanner.called('write', [Buffer.from(each, 'latin1')]);
  scanner.called('end', []);
  return { sent: Buffer.concat(sent).toString('latin1'), events };
}

describe('E5: the first event', () => {
  test('is the same in every part of the stream that holds it', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const found = Array.from(text, (_, at) => firstEvent(text.slice(0, at))).find(Boolean);
        fc.pre(found !== undefined);
        expect(firstEvent(text)).toEqual(found);
      }),
      { numRuns: 500 },
    );
  });

  test('has the data that a client reads first', () => {
    fc.assert(
      fc.property(stream, (text) => {
        // A CR at the very end may be the first half of CR LF.
        const first = dataOf(text.endsWith('\r') ? text.slice(0, -1) : text)[0];
        expect(firstEvent(text)?.data).toBe(first);
      }),
      { numRuns: 500 },
    );
  });

  test('with other data is that of the client, and all else stays', () => {
    const line = fc.stringMatching(/^[ -~]{0,20}$/);
    fc.assert(
      fc.property(stream, line, (text, data) => {
        const event = firstEvent(text);
        fc.pre(event !== undefined && !event.data.includes('\n'));
        const written = withData(text, event, data);
        expect(firstEvent(written)).toMatchObject({ start: event.start, name: event.name, data });
        expect(written.slice(0, event.start)).toBe(text.slice(0, event.start));
        expect(written.endsWith(text.slice(event.end))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test('E5: what stands before the first event holds no data', () => {
  fc.assert(
    fc.property(stream, (text) => {
      const past = endOfComments(text);
      expect(dataOf(text.slice(0, past))).toEqual([]);
      expect(past <= (firstEvent(text)?.start ?? text.length)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe('E3: a stream that is looked at', () => {
  test('F1: passes byte for byte, however it comes, and however long an event may be', () => {
    fc.assert(
      fc.property(stream, cuts, fc.constantFrom(0, 1, 8, LIMIT), (text, at, limit) => {
        expect(scan(split(text, at), limit).sent).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test('has the same events however it comes', () => {
    fc.assert(
      fc.property(stream, cuts, (text, at) => {
        expect(scan(split(text, at)).events).toEqual(scan([text]).events);
      }),
      { numRuns: 500 },
    );
  });
});
