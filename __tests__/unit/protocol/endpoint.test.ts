import { describe, expect, test } from '@jest/globals';
import {
  ENDPOINT_PARAMS,
  endpointForClient,
  sessionInQuery,
} from '../../../src/protocol/endpoint.ts';

describe('E5: the endpoint that a client of the gateway is told', () => {
  const same = { asked: '/sse', sent: '/sse' };

  test.each([
    ['/messages?sessionId=x', same, '/messages?sessionId=x'],
    ['/messages/?session_id=x', same, '/messages/?session_id=x'],
    ['messages?sessionId=x', { asked: '/a/sse', sent: '/a/sse' }, '/a/messages?sessionId=x'],
    ['http://10.0.0.1:8080/messages?sessionId=x', same, '/messages?sessionId=x'],
    ['//elsewhere/messages?sessionId=x', same, '/messages?sessionId=x'],
    ['/messages?sessionId=x', { asked: '/gw/sse', sent: '/sse' }, '/gw/messages?sessionId=x'],
    ['/base/messages?sessionId=x', { asked: '/sse', sent: '/base/sse' }, '/messages?sessionId=x'],
    ['/other?sessionId=x', { asked: '/sse', sent: '/base/sse' }, '/other?sessionId=x'],
    ['/messages?sessionId=x', { asked: '/events', sent: '/sse' }, '/messages?sessionId=x'],
    ['?sessionId=x', same, '/sse?sessionId=x'],
    ['http://x//evil.example/m?sessionId=x', same, undefined],
    ['ftp://h/messages', same, undefined],
    ['http://[', same, undefined],
  ])('%j, mounted %j, is %j', (endpoint, mount, told) => {
    expect(endpointForClient(endpoint, mount)).toBe(told);
  });
});

describe('E5: the session in a URL', () => {
  test.each([
    ['/messages?sessionId=x', 'x'],
    ['/messages/?a=b&session_id=x#y', 'x'],
    ['/messages?sessionId=a%2Bb%3D', 'a+b='],
    ['/messages?sessionId=a+b=', 'a+b='],
    ['/messages?session%49d=x', 'x'],
    ['/messages?session_id=y&sessionId=x', ''],
    ['/messages?sessionId', ''],
    ['/messages?sessionId=', ''],
    ['/messages?sessionId=%ff', ''],
    ['/messages?sessionId=x&sessionId=x', ''],
    ['/messages?sessionid=x', undefined],
    ['/messages?x=sessionId', undefined],
    ['/messages?%ff=x', undefined],
    ['/messages', undefined],
  ])('%j is %j', (url, id) => {
    expect(sessionInQuery(url, ENDPOINT_PARAMS)).toBe(id);
  });
});
