import { describe, expect, test } from '@jest/globals';
import { discoverRequest, erasOfAnswer } from '../../../src/protocol/era.ts';

const error = (code: number): string => JSON.stringify({ jsonrpc: '2.0', error: { code }, id: 1 });
const result = (members: object): string => JSON.stringify({ jsonrpc: '2.0', result: members });

describe('E1: what a server tells of its era', () => {
  test.each([
    [
      200,
      result({ supportedVersions: ['2026-07-28', '2025-11-25'] }),
      { modern: true, legacy: true },
    ],
    [200, result({ supportedVersions: ['2026-07-28'] }), { modern: true }],
    [200, result({}), { modern: true }],
    [400, error(-32022), { modern: true }],
    [400, error(-32020), { modern: true }],
    [400, error(-32099), { modern: true }],
    [400, error(-32000), { modern: false }],
    [400, error(-32600), { modern: false }],
    [404, error(-32001), { modern: false }],
    [200, error(-32601), { modern: false }],
    [400, 'Bad Request', { modern: false }],
    [400, error(-32100), { modern: false }],
    [401, error(-32000), {}],
    [403, error(-32000), {}],
    [429, error(-32000), {}],
    [500, error(-32603), {}],
    [404, '<html>', {}],
    [202, '', {}],
    [200, 'null', {}],
  ])('by %d %s: %j', (status, body, eras) => {
    expect(erasOfAnswer(status, body)).toEqual(eras);
  });
});

test('E1: a server is asked in the words of the revision of the client', () => {
  expect(JSON.parse(discoverRequest('2026-07-28'))).toMatchObject({
    method: 'server/discover',
    params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
  });
});
