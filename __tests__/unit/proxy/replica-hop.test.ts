import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { claimsHop, HOP_HEADER, replicaHop } from '../../../src/proxy/forward/replica-hop.ts';

const secret = 'a secret of the replicas, long enough';
const HERE = 'http://10.0.0.5:3000';

function request(more: object = {}): IncomingMessage {
  const headers = { 'mcp-session-id': 'one' };
  return { method: 'POST', url: '/', originalUrl: '/mcp', headers, ...more } as never;
}

/** A request that was marked at `at`, as it arrives. */
function marked(at: number, more: object = {}): IncomingMessage {
  const req = request(more);
  replicaHop([secret], () => at).mark(req, HERE);
  return req;
}

const at = 1_764_000_000_000;

describe('the mark of a request that was forwarded', () => {
  test.each([
    ['at once', 0, true],
    ['a minute later', 60_000, true],
    ['by a clock that is a minute behind', -60_000, true],
    ['later than that', 60_001, false],
    ['by a clock that is further behind', -60_001, false],
  ])('is read %s', (_when, later, proven) => {
    expect(replicaHop([secret], () => at + later).isProven(marked(at), HERE)).toBe(proven);
  });

  test.each([
    ['another receiver', {}, 'http://10.0.0.6:3000'],
    ['another method', { method: 'GET' }, HERE],
    ['another path', { originalUrl: '/mcp?a' }, HERE],
    ['another session', { headers: { 'mcp-session-id': 'two' } }, HERE],
    ['no session', { headers: {} }, HERE],
  ])('is none for %s', (_what, more, here) => {
    const mark = marked(at).headers[HOP_HEADER];
    const req = request(more);
    req.headers[HOP_HEADER] = mark;
    const hop = replicaHop([secret], () => at);
    expect([claimsHop(req), hop.isProven(req, here)]).toEqual([true, false]);
  });

  test.each([
    ...['1', '', 't=,mac=', 't=1', `t=${at},mac=${'A'.repeat(43)}`, `t=-1,mac=${'A'.repeat(43)}`],
    `t=${'9'.repeat(16)},mac=${'A'.repeat(43)}`,
  ])('is not believed where it reads %j', (value) => {
    const req = request();
    req.headers[HOP_HEADER] = value;
    expect(replicaHop([secret], () => at).isProven(req, HERE)).toBe(false);
  });

  test('is not believed without a secret, nor with another one', () => {
    expect(replicaHop([], () => at).isProven(marked(at), HERE)).toBe(false);
    const other = replicaHop(['another secret, which is long enough'], () => at);
    expect(other.isProven(marked(at), HERE)).toBe(false);
  });

  test('says nothing without a secret but that it was forwarded', () => {
    const req = request();
    replicaHop([], () => at).mark(req, HERE);
    expect(req.headers[HOP_HEADER]).toBe('1');
    expect(claimsHop(req)).toBe(true);
    expect(claimsHop(request())).toBe(false);
  });
});
