import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isKnownLostSession, readNotFound } from '../../../src/protocol/backend-answer.ts';
import { erasOfAnswer, erasOfInitialize } from '../../../src/protocol/era.ts';
import { errorBody } from '../../../src/protocol/error-body.ts';
import { readMessage, readParsedMessage } from '../../../src/protocol/message.ts';
import { hasPostOnly, isModern } from '../../../src/protocol/revision.ts';
import { isSessionId } from '../../../src/protocol/session-id.ts';
import { createdTask, mayCreateTask, taskAskedFor } from '../../../src/protocol/tasks.ts';

/** Any bytes, as a body is read. */
const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each).toString());
/** JSON that has much to do with JSON-RPC, in any nesting. */
const { near } = fc.letrec<{ near: unknown }>((tie) => ({
  near: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('initialize', 'task', 'tools/call', '2025-11-25', '2026-07-28', null, true),
    fc.constantFrom(-32000, -32001, -32020, -32099, -32601, 0, 1e21, -1),
    fc.string(),
    fc.array(tie('near'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...['jsonrpc', 'id', 'method', 'Method', 'error', 'code', 'result', 'resultType', 'task'],
        ...['taskId', 'ttl', 'ttlMs', 'supportedVersions', '__proto__', 'constructor'],
      ),
      tie('near'),
      { maxKeys: 5 },
    ),
  ),
}));
const body = fc.oneof(
  near.map((value) => JSON.stringify(value)),
  fc.tuple(near, fc.nat()).map(([value, at]) => JSON.stringify(value).slice(0, at % 80)),
  fc.json(),
  fc.constantFrom(
    '['.repeat(9999),
    `{"id":${'['.repeat(9999)}${']'.repeat(9999)},"method":"x"}`,
    `[${'{},'.repeat(999)}{}]`,
  ),
  fc.constant('{"result":{"resultType":"task","taskId":"a","ttl":1e999}}'),
  bytes,
);

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

describe('A4: a session id', () => {
  test('is 1 to 1024 visible ASCII characters, and nothing else is', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 1020, max: 1024 }), fc.string({ maxLength: 3 }))
        .map(([length, end]) => {
          return '~'.repeat(length) + end;
        }),
    );
    fc.assert(
      fc.property(value, (text) => {
        const visible = text.split('').every((char) => char > ' ' && char < '\u007f');
        expect(isSessionId(text)).toBe(visible && text !== '' && text.length <= 1024);
      }),
    );
  });

  test('is none if the header was sent twice', () => {
    const value = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(isSessionId([one, other].join(', '))).toBe(false);
      }),
    );
  });
});

describe('A5, A8: a message', () => {
  test('says the same as what was made of it, and an id that is a string or a number', () => {
    fc.assert(
      fc.property(body, (text) => {
        const { initialize, rawId } = readMessage(text);
        expect(readParsedMessage(parsed(text)).initialize).toBe(initialize);
        const id: unknown = rawId === undefined ? 0 : JSON.parse(rawId);
        expect(['string', 'number']).toContain(typeof id);
      }),
      { numRuns: 300 },
    );
  });

  test('is initialize by its own last "method" only', () => {
    const names = fc.constantFrom('method', 'Method', ' method', '__proto__', 'params');
    const values = fc.constantFrom(
      '"initialize"',
      '"x"',
      '{"method":"initialize"}',
      '["initialize"]',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, values), { maxLength: 5 }), (members) => {
        const text = `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
        const last = members.findLast(([name]) => name === 'method')?.[1];
        expect(readMessage(text).initialize).toBe(last === '"initialize"');
      }),
    );
  });

  test('whose id is repeated makes no other error of it', () => {
    fc.assert(
      fc.property(body, (text) => {
        const error = errorBody('unknown_session', readMessage(text).rawId);
        const { id, ...rest } = JSON.parse(error) as { readonly id?: unknown };
        expect(rest).toEqual(JSON.parse(errorBody('unknown_session')));
        expect(['undefined', 'string', 'number']).toContain(typeof id);
      }),
    );
  });
});

describe('E1, E2: a revision', () => {
  test('is modern from 2026-07-28 on, and only if it is a date', () => {
    const day = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01') });
    const dated = day.filter((date) => !Number.isNaN(date.getTime()));
    fc.assert(
      fc.property(dated, fc.string({ unit: 'binary', minLength: 1 }), (date, more) => {
        const version = date.toISOString().slice(0, 10);
        expect(isModern(version)).toBe(date.getTime() >= Date.parse('2026-07-28'));
        expect([isModern(version + more), isModern(more + version)]).toEqual([false, false]);
        expect(hasPostOnly(version)).toBe(version === '2026-07-28');
      }),
    );
  });

  test('that has only POST is modern', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(undefined)), (version) => {
        expect(hasPostOnly(version) && !isModern(version)).toBe(false);
      }),
    );
  });
});

describe('what an answer of a backend tells', () => {
  test('of its eras is yes, no or nothing, whatever it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), body, (status, text) => {
        for (const eras of [erasOfAnswer(status, text), erasOfInitialize(text)]) {
          for (const [era, speaks] of Object.entries(eras)) {
            expect(['legacy', 'modern']).toContain(era);
            expect(typeof speaks).toBe('boolean');
          }
        }
      }),
    );
  });

  test('C4, C5: of a lost session is one of two things', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), body, (status, text) => {
        expect(['session', 'other']).toContain(readNotFound(text));
        expect(isKnownLostSession(status, text) && status !== 400).toBe(false);
      }),
    );
  });

  test('C4: JSON-RPC with another code than -32001 ends nothing', () => {
    fc.assert(
      fc.property(near, fc.integer(), (data, code) => {
        const text = JSON.stringify({ jsonrpc: '2.0', error: { code, data } });
        expect(readNotFound(text)).toBe(code === -32001 ? 'session' : 'other');
      }),
    );
  });
});

describe('E3: a task', () => {
  test('that is asked for has an id that can be stored, whatever the headers say', () => {
    const method = fc.oneof(
      fc.constantFrom('tasks/get', 'tasks/cancel', 'tools/call'),
      fc.string(),
    );
    const encoded = fc.string().map((text) => `=?base64?${text}?=`);
    const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 1100 }), encoded);
    fc.assert(
      fc.property(method, name, (asked, named) => {
        const id = taskAskedFor(asked, named) ?? 'none';
        expect(id.length > 0 && id.length <= 1024).toBe(true);
        expect(asked.startsWith('tasks/') ? 'none' : id).toBe('none');
        expect(mayCreateTask(asked)).toBe(asked === 'tools/call');
      }),
    );
  });

  test('is the one that was encoded', () => {
    const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(id, (task) => {
        const name = `=?base64?${Buffer.from(task).toString('base64')}?=`;
        expect(taskAskedFor('tasks/get', name)).toBe(task);
      }),
    );
  });

  test('that was created has such an id, and a time that can be waited for or none', () => {
    fc.assert(
      fc.property(body, near, (text, members) => {
        const result = { resultType: 'task', ...Object(members) };
        for (const json of [text, JSON.stringify({ result })]) {
          const { id, ttl = 1 } = createdTask(json) ?? { id: 'none' };
          expect(typeof id === 'string' && id.length > 0 && id.length <= 1024).toBe(true);
          expect(ttl > 0 && Number.isFinite(ttl)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
