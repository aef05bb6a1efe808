import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { planAnswer } from '../../../src/routing/answer.ts';
import { keyOf } from '../../../src/routing/keys.ts';
import type { OpenRoute, PinnedRoute } from '../../../src/routing/route.ts';
import { newRecord } from '../../../src/store/record.ts';

const SESSION = { key: keyOf('x'), id: 'x' };
const turn = fc.constantFrom('opening' as const, 'other' as const);
const open = fc.record({ opening: fc.boolean(), turn, modern: fc.boolean() });
const answered = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  sessionId: fc.oneof(fc.constantFrom(undefined, 'x', 'y', '', 'a b'), fc.string()),
  eventStream: fc.boolean(),
  encoded: fc.boolean(),
  packed: fc.boolean(),
});
const inspects = (status: number): boolean => status === 400;

describe('B4, B6: an answer with a session id', () => {
  const asked = { method: 'POST', path: '/mcp' };

  test('of another session keeps it from the client, whatever else is done with it', () => {
    fc.assert(
      fc.property(answered, fc.constantFrom('POST', 'GET', 'DELETE'), (head, method) => {
        const found = newRecord({
          key: SESSION.key,
          nonce: 'n',
          backendUrl: 'http://a',
          path: '/mcp',
        });
        const route: PinnedRoute = {
          ...{ kind: 'pinned', ...SESSION, record: found },
          ...{ backendUrl: 'http://a', backendSession: undefined },
        };
        const plan = planAnswer(route, { ...asked, method }, head, keyOf, inspects);
        const drops = 'dropSessionId' in plan && plan.dropSessionId;
        expect(drops).toBe(head.sessionId !== undefined && head.sessionId !== 'x');
      }),
      { numRuns: 500 },
    );
  });

  test('is recorded before the client has it, and only of an opening request that has succeeded', () => {
    fc.assert(
      fc.property(answered, open, fc.boolean(), (head, facts, stream) => {
        const route: OpenRoute = {
          kind: 'open',
          ...facts,
          stream,
          backendUrl: 'http://a',
          alternatives: [],
        };
        const plan = planAnswer(route, asked, head, keyOf, inspects);
        fc.pre(head.sessionId !== undefined);
        const valid = /^[!-~]{1,1024}$/.test(head.sessionId);
        const opens = head.status < 300 && facts.opening && !stream;
        expect(plan.kind === 'record').toBe(opens && valid);
        expect(plan.kind === 'refuse').toBe(opens && !valid);
        expect('dropSessionId' in plan && !plan.dropSessionId).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
