import { describe, expect, test } from '@jest/globals';
import {
  onSessionPath,
  planAnswer,
  type AnswerHead,
  type AnswerPlan,
} from '../../../src/routing/answer.ts';
import type { PinnedRoute, Route } from '../../../src/routing/route.ts';
import { newRecord } from '../../../src/store/record.ts';

const opening: Route = {
  kind: 'open',
  opening: true,
  turn: 'opening',
  backendUrl: 'http://a',
  alternatives: [],
};
const balanced: Route = { ...opening, opening: false };
const record = newRecord({ key: 'hash of mine', nonce: 'n', backendUrl: 'http://a', path: '/mcp' });
const pinned: PinnedRoute = {
  ...{ kind: 'pinned', key: 'hash of mine', id: 'mine', record },
  ...{ backendUrl: 'http://a', backendSession: undefined },
};

const HEAD: AnswerHead = {
  status: 200,
  sessionId: undefined,
  eventStream: false,
  encoded: false,
  packed: false,
};
const PASS: AnswerPlan = { kind: 'pass', dropSessionId: false };
const DROP: AnswerPlan = { kind: 'pass', dropSessionId: true };

function plan(
  route: Route,
  head: Partial<AnswerHead>,
  { method = 'POST', path = '/mcp' } = {},
): AnswerPlan {
  const hashOf = (id: string): string => `hash of ${id}`;
  return planAnswer(
    route,
    { method, path },
    { ...HEAD, ...head },
    hashOf,
    (status) => status === 400,
  );
}

describe('the answer to an opening request', () => {
  test.each([
    ['B3', {}, PASS],
    ['B3', { status: 500 }, PASS],
    ['B1', { sessionId: 'x' }, { kind: 'record', sessionId: 'x' }],
    ['B1', { sessionId: 'x', status: 299 }, { kind: 'record', sessionId: 'x' }],
    [
      'B1',
      { sessionId: 'x', eventStream: true, encoded: true },
      { kind: 'record', sessionId: 'x' },
    ],
    ['B4', { sessionId: 'x', status: 101 }, DROP],
    ['B4', { sessionId: 'x', status: 300 }, DROP],
    ['B4', { sessionId: 'x', status: 404 }, DROP],
    ['B4', { sessionId: 'not valid', status: 400 }, DROP],
    ['B4', { sessionId: 'not valid' }, { kind: 'refuse', reason: 'invalid_backend_answer' }],
    ['B4', { sessionId: '' }, { kind: 'refuse', reason: 'invalid_backend_answer' }],
  ] as const)('%s: %p is planned as %p', (_id, head, planned) => {
    expect(plan(opening, head)).toEqual(planned);
  });

  test('A7: of a request that can open none it passes without the id', () => {
    expect(plan(balanced, { sessionId: 'x' })).toEqual(DROP);
    expect(plan(balanced, { sessionId: 'x', status: 404 })).toEqual(DROP);
    expect(plan(balanced, {})).toEqual(PASS);
  });
});

describe('the answer to a pinned request', () => {
  test.each([
    ['A1', 'POST', {}, PASS],
    ['A1', 'POST', { sessionId: 'mine' }, PASS],
    ['B6', 'POST', { sessionId: 'other' }, DROP],
    ['B6', 'POST', { sessionId: '' }, DROP],
    ['B6', 'GET', { sessionId: 'other', eventStream: true }, DROP],
    ['C1', 'DELETE', { status: 200 }, { kind: 'end', dropSessionId: false }],
    ['C1', 'DELETE', { status: 204, sessionId: 'mine' }, { kind: 'end', dropSessionId: false }],
    ['C1', 'DELETE', { status: 404, sessionId: 'other' }, { kind: 'end', dropSessionId: true }],
    ['C2', 'DELETE', { status: 405 }, PASS],
    ['C2', 'DELETE', { status: 500 }, PASS],
    ['C2', 'DELETE', { status: 302 }, PASS],
    ['C4', 'POST', { status: 404 }, { kind: 'inspect', dropSessionId: false }],
    ['C4', 'GET', { status: 404, sessionId: 'other' }, { kind: 'inspect', dropSessionId: true }],
    ['C5', 'POST', { status: 400 }, { kind: 'inspect', dropSessionId: false }],
    ['D6', 'POST', { status: 500 }, PASS],
    ['D6', 'POST', { status: 429 }, PASS],
    ['D11', 'POST', { status: 307 }, PASS],
    ['A1', 'POST', { status: 404, eventStream: true }, PASS],
    ['A1', 'HEAD', { status: 404 }, PASS],
  ] as const)('%s: to %s, %p is planned as %p', (_id, method, head, planned) => {
    expect(plan(pinned, head, { method })).toEqual(planned);
  });

  test('C4: a 404 on another path is not looked at', () => {
    expect(plan(pinned, { status: 404 }, { path: '/other' })).toEqual(PASS);
  });

  test('C4: a session without a path of its own may be lost on any', () => {
    const anywhere = newRecord({ key: 'k', nonce: 'n', backendUrl: 'http://a', path: undefined });
    const route: PinnedRoute = { ...pinned, record: anywhere };
    expect(onSessionPath(route, { method: 'POST', path: '/other' })).toBe(true);
    expect(onSessionPath(opening, { method: 'POST', path: '/mcp' })).toBe(false);
  });
});
