import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { firstEvent, withData } from '../../../src/protocol/event-stream.ts';

const ENDPOINT = 'event: endpoint\ndata: /messages?sessionId=x\n\n';

describe('E5: the first event of a stream', () => {
  test.each([
    [ENDPOINT, 'endpoint', '/messages?sessionId=x'],
    ['event:endpoint\r\ndata:/m\r\n\r\n', 'endpoint', '/m'],
    ['data: /m\revent: endpoint\r\rmore', 'endpoint', '/m'],
    ['data: one\ndata: two\n\n', 'message', 'one\ntwo'],
    [': open\n\nretry: 5\n\nid: 1\n\nevent: endpoint\ndata: /m\n\n', 'endpoint', '/m'],
    ['event: a\nevent: endpoint\ndata:  /m\n\n', 'endpoint', ' /m'],
    ['data\n\n', 'message', ''],
    ['\xef\xbb\xbfdata: x\n\n', 'message', 'x'],
  ])('%j is a %j', (text, name, data) => {
    expect(firstEvent(text)).toMatchObject({ name, data });
  });

  test.each([
    '',
    'data: x',
    'data: x\n',
    'data: x\r\n\r',
    'data: x\r',
    ': only\n\n',
    'event: y\n\n',
  ])('%j is not there yet', (text) => {
    expect(firstEvent(text)).toBeUndefined();
  });

  test('is the same however the stream comes in parts', () => {
    const eol = fc.constantFrom('\n', '\r\n');
    const rule = (end: string, before: number, after: string): void => {
      const text = `${`: c${end}${end}`.repeat(before)}event: endpoint${end}data: /m${end}${end}${after}`;
      const whole = firstEvent(text);
      const parts = Array.from(text, (_, at) => firstEvent(text.slice(0, at))).filter(Boolean);
      for (const part of parts) expect(part).toEqual(whole);
      expect(whole).toMatchObject({ name: 'endpoint', data: '/m' });
    };
    fc.assert(fc.property(eol, fc.nat(3), fc.constantFrom('x', 'data: y', ''), rule));
  });

  test('may get other data where a field with a longer name stands before it', () => {
    const text = 'event: endpoint\ndatabase: x\ndata: http://10.0.0.1/m\n\n';
    const event = firstEvent(text);
    expect(event && withData(text, event, '/m')).toBe('event: endpoint\ndatabase: x\ndata: /m\n\n');
  });

  test('may get other data, and nothing else changes', () => {
    const text = `: open\n\n${ENDPOINT}event: message\ndata: {}\n\n`;
    const event = firstEvent(text);
    expect(event && withData(text, event, '/gw/$&')).toBe(
      ': open\n\nevent: endpoint\ndata: /gw/$&\n\nevent: message\ndata: {}\n\n',
    );
  });
});
