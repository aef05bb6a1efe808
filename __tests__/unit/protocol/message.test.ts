import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { NO_FACTS, readMessage, readParsedMessage } from '../../../src/protocol/message.ts';

describe('a body', () => {
  test.each([
    ['{"method":"initialize"}', { initialize: true }],
    ['{"method":"initialize","id":1}', { initialize: true, rawId: '1' }],
    ['{"id":"a\\u0041","method":"tools/list"}', { initialize: false, rawId: '"a\\u0041"' }],
    ['{"id":1e2,"method":"x"}', { initialize: false, rawId: '1e2' }],
    ['{"id":1}', NO_FACTS],
    ['{"id":1,"method":7}', NO_FACTS],
    ['{"id":1,"result":{}}', NO_FACTS],
    ['{"id":null,"method":"x"}', NO_FACTS],
    ['{"id":true,"method":"x"}', NO_FACTS],
    ['{"id":[1],"method":"x"}', NO_FACTS],
    ['{"id":{},"method":"initialize"}', { initialize: true }],
    ['[{"id":1,"method":"initialize"}]', { initialize: true }],
    ['[{"id":1,"method":"x"}]', NO_FACTS],
    ['[[{"method":"initialize"}]]', NO_FACTS],
    ['[]', NO_FACTS],
    ['null', NO_FACTS],
    ['"initialize"', NO_FACTS],
    ['', NO_FACTS],
    ['{"method":"initialize"', NO_FACTS],
    ['{"method":"initialize"} x', NO_FACTS],
    ['{"__proto__":{"method":"initialize"}}', NO_FACTS],
  ])('%s', (body, facts) => {
    expect(readMessage(body)).toEqual(facts);
  });

  test('of any text, or any JSON, is read without an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        expect(readMessage(body)).toHaveProperty('initialize');
      }),
    );
  });

  test('an id that is repeated is the id that was read', () => {
    const id = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(id, fc.jsonValue(), (id, params) => {
        const { rawId } = readMessage(JSON.stringify({ params, id, method: 'x' }));
        expect(JSON.parse(rawId ?? 'null')).toEqual(JSON.parse(JSON.stringify(id)));
      }),
    );
  });
});

describe('a body that was parsed before', () => {
  test('says the same as the body itself, as far as no digits are lost', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer(), fc.string()),
        fc.constantFrom('initialize', 'x'),
        fc.boolean(),
        (id, method, batch) => {
          const message = { id, method };
          const body = JSON.stringify(batch ? [message] : message);
          expect(readParsedMessage(JSON.parse(body))).toEqual(readMessage(body));
        },
      ),
    );
  });

  test.each([
    [{ id: 2 ** 53, method: 'x' }],
    [{ id: 1.5, method: 'x' }],
    [{ id: Number.NaN, method: 'x' }],
    [undefined],
    ['initialize'],
    [Buffer.from('{"method":"initialize"}')],
    [Object.create({ method: 'initialize' }) as object],
  ])('%p has no facts to repeat', (body) => {
    expect(readParsedMessage(body)).toEqual(NO_FACTS);
  });
});
