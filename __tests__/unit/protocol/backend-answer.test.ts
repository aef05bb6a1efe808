import { expect, test } from '@jest/globals';
import { isKnownLostSession, readNotFound } from '../../../src/protocol/backend-answer.ts';

test.each([
  ['{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}', 'session'],
  ['{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}', 'other'],
  ['{"jsonrpc":"2.0","error":{"code":"-32001"}}', 'other'],
  ['{"jsonrpc":"2.0","error":{}}', 'other'],
  ['{"jsonrpc":"2.0","error":null}', 'other'],
  ['{"jsonrpc":"2.0","error":-32001}', 'other'],
  ['{"jsonrpc":"2.0","result":{}}', 'other'],
  ['{"error":{"code":-32601}}', 'session'],
  ['{"detail":"Not Found"}', 'session'],
  ['Cannot POST /mcp', 'session'],
  ['[]', 'session'],
  ['null', 'session'],
  ['7', 'session'],
  ['', 'session'],
])('C4: a 404 with the body %s is about: %s', (body, kind) => {
  expect(readNotFound(body)).toBe(kind);
});

test.each([
  [400, 'Bad Request: No valid session ID provided', true],
  [400, '{"error":{"message":"Bad Request: Server not initialized"}}', true],
  [404, 'No valid session ID provided', false],
  [500, 'Server not initialized', false],
  [400, 'Bad Request', false],
  [400, '', false],
])('C5: %d %s tells of a lost session: %p', (status, body, lost) => {
  expect(isKnownLostSession(status, body)).toBe(lost);
});
