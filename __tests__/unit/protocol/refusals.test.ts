import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { errorBody } from '../../../src/protocol/error-body.ts';
import { SessionRoutingError } from '../../../src/protocol/errors.ts';
import { REFUSALS, type Reason } from '../../../src/protocol/reasons.ts';
import { ROWS, type Row } from '../../helpers/refusal.ts';

const REASONS = Object.keys(REFUSALS) as Reason[];

describe.each(REASONS)('the refusal %s', (reason) => {
  const refusal = REFUSALS[reason];

  test('says what clients have been promised', () => {
    const { retryAfter, ...row }: Row = ROWS[reason];
    expect(refusal).toEqual(retryAfter ? { ...row, retryAfter: Number(retryAfter) } : row);
  });

  test('has a body that is JSON-RPC, with the code where clients look for it', () => {
    const body = errorBody(reason);
    expect(body).toContain(`"error":{"code":${refusal.code},`);
    expect(JSON.parse(body)).toEqual({
      jsonrpc: '2.0',
      error: { code: refusal.code, message: refusal.message, data: { reason } },
    });
  });

  test('repeats the bytes of an id', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer().map(String),
          fc.string().map((id) => JSON.stringify(id)),
        ),
        (id) => {
          expect(errorBody(reason, id)).toBe(`${errorBody(reason).slice(0, -1)},"id":${id}}`);
        },
      ),
    );
  });

  test('uses no error code of the specification, and asks to try again only where nothing was executed', () => {
    expect(refusal.code > -32020 || refusal.code < -32099).toBe(true);
    expect(refusal.retryAfter).toBe(refusal.status === 503 ? 1 : undefined);
  });

  test('is an error with its status', () => {
    const error = new SessionRoutingError(reason);
    expect(error).toMatchObject({
      name: 'SessionRoutingError',
      code: reason,
      status: refusal.status,
    });
    expect(error.message).toBe(refusal.message);
  });
});

test('a mistake in the set-up is an error with a sentence of its own', () => {
  const cause = new Error('why');
  const error = new SessionRoutingError('invalid_option', 'use another', { cause });
  expect(error).toMatchObject({
    code: 'invalid_option',
    status: 500,
    message: 'use another',
    cause,
  });
});
