import { describe, expect, it } from '@jest/globals';
import { judgeCall, judgeOpening, speaksModern, whyNone } from '../../../src/cli/doctor/judge.ts';
import { TooLate, type Received } from '../../../src/cli/doctor/request.ts';

const JSON_TYPE = 'application/json';
const STREAM = 'text/event-stream';

function received(status: number, body: string, more: Partial<Received> = {}): Received {
  const bytes = Buffer.from(body).toString('latin1');
  return { status, type: JSON_TYPE, sessionId: undefined, bytes, ms: 2, ...more };
}

const result = (id: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result: {} });
const failure = (code: number, id?: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: 'Über' } });

describe('a call', () => {
  it.each([
    ['a result', received(200, result(1))],
    ['a server that knows no ping', received(200, failure(-32601, 1))],
    ['a batch', received(200, `[${result(2)},${result(1)}]`)],
    ['an event', received(200, `event: message\ndata: ${result(1)}\n\n`, { type: STREAM })],
    [
      'an event behind others',
      received(
        200,
        `id: 1\ndata:\n\n: still here\n\ndata: ${result(9)}\n\ndata: ${result(1)}\n\n`,
        {
          type: STREAM,
        },
      ),
    ],
  ])('has reached its session if it was answered by %s', (_, answer) => {
    expect(judgeCall(answer, 1)).toEqual({ kind: 'reached', ms: 2 });
  });

  it.each([
    [404, 'gone'],
    [404, failure(-32001)],
    [400, failure(-32001, 1)],
    [400, 'Bad Request: No valid session ID provided'],
    [400, '{"error":{"message":"Server not initialized"}}'],
  ])('was answered by somebody who does not know its session: %d %s', (status, body) => {
    expect(judgeCall(received(status, body), 1)).toEqual({ kind: 'lost', what: `HTTP ${status}` });
  });

  it('was answered by such a one by 200, too', () => {
    const lost = { kind: 'lost', what: 'HTTP 200, session not found' };
    expect(judgeCall(received(200, failure(-32001, 1)), 1)).toEqual(lost);
  });

  it.each([
    [received(503, failure(-32603)), 'HTTP 503'],
    [received(400, failure(-32600, 1)), 'HTTP 400'],
    [received(302, ''), 'HTTP 302'],
    [received(200, failure(-32603, 1)), 'HTTP 200 with an error of JSON-RPC'],
    [received(200, failure(-32000, 1)), 'HTTP 200 with an error of JSON-RPC'],
    [received(200, result(2)), 'HTTP 200 without an answer'],
    [received(200, '<html>'), 'HTTP 200 without an answer'],
    [received(202, ''), 'HTTP 202 without an answer'],
    [received(200, result(1), { type: STREAM }), 'HTTP 200 without an answer'],
  ])('has failed: %j', (answer, what) => {
    expect(judgeCall(answer, 1)).toEqual({ kind: 'failed', what });
  });
});

it('a question of 2026-07-28 has been answered by a result only: nobody has opened a session before', () => {
  expect(judgeCall(received(200, result('era')), 'era')).toEqual({ kind: 'reached', ms: 2 });
  expect(judgeCall(received(200, failure(-32050, 'era')), 'era')).toEqual({
    kind: 'failed',
    what: 'HTTP 200 with an error of JSON-RPC',
  });
});

describe('an initialize', () => {
  const opening = (version: unknown): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 0, result: { protocolVersion: version } });

  it('opens a session, in the revision of the server', () => {
    const answer = received(200, opening('2025-06-18'), { sessionId: 'abc' });
    const session = { id: 'abc', version: '2025-06-18' };
    expect(judgeOpening(answer)).toEqual({ kind: 'opened', session, ms: 2 });
  });

  it('opens something without an id where the server keeps no sessions', () => {
    const { session } = judgeOpening(received(200, opening('2025-11-25'))) as { session?: object };
    expect(session).toEqual({ id: undefined, version: '2025-11-25' });
  });

  it('takes no revision that is none', () => {
    const answer = received(200, opening('\u001B[31m'), { sessionId: 'abc' });
    expect(judgeOpening(answer)).toMatchObject({ session: { version: '2025-11-25' } });
  });

  it.each([
    [received(401, ''), 'HTTP 401'],
    [received(200, failure(-32602, 0)), 'HTTP 200'],
    [received(200, '<html>'), 'HTTP 200'],
    [received(400, failure(-32022, 0)), 'it knows no initialize'],
    [received(200, opening('2025-11-25'), { sessionId: 'a b' }), 'an Mcp-Session-Id that is none'],
  ])('is refused: %j', (answer, what) => {
    expect(judgeOpening(answer)).toEqual({ kind: 'refused', what });
  });
});

describe('a server', () => {
  it.each([
    [received(200, result('era')), true],
    [received(200, `data: ${result('era')}\n\n`, { type: STREAM }), true],
    [received(400, failure(-32020)), true],
    [received(400, failure(-32000)), false],
    [received(404, 'nothing'), false],
  ])('speaks 2026-07-28, or does not: %j %s', (answer, speaks) => {
    expect(speaksModern(answer)).toBe(speaks);
  });
});

describe('a request without an answer', () => {
  it.each([
    [new TooLate(true), 'no answer in time'],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [Object.assign(new Error('x'), { code: '\u001B[31m' }), 'broken off'],
    [new Error('socket hang up'), 'broken off'],
    [undefined, 'broken off'],
  ])('has a reason that can be counted: %s', (error, what) => {
    expect(whyNone(error)).toBe(what);
  });
});
