import { describe, expect, test } from '@jest/globals';
import type { DecidedRequest, RequestObserver } from '../../src/http/request-watch.ts';
import { Observers, type Observer } from '../../src/observers.ts';
import { warnings } from '../helpers/warnings.ts';
import { received } from './http/received.ts';

const KEY = '0123456789abcdef'.repeat(4);
const SHORT = KEY.slice(0, 12);

function observedBy(...all: Observer[]): Observers {
  const observers = new Observers();
  for (const each of all) observers.add(each);
  return observers;
}

/** Who is told of a request, and what it was told. */
function listener(): RequestObserver & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    decided: (...args) => void told.push(['decided', ...args]),
    goesTo: (...args) => void told.push(['goesTo', ...args]),
    opened: (...args) => void told.push(['opened', ...args]),
    refused: (...args) => void told.push(['refused', ...args]),
  };
}

describe('a request', () => {
  test('is not watched where nobody wants to know what becomes of it', async () => {
    const { req, res } = await received(['POST /mcp HTTP/1.1', 'Host: x']);
    const listeners = res.listenerCount('close');
    expect(observedBy().watch(req, res)).toBeUndefined();
    expect(observedBy({ opened() {}, stored() {} }).watch(req, res)).toBeUndefined();
    expect(observedBy({ requested: () => undefined }).watch(req, res)).toBeUndefined();
    expect(res.listenerCount('close')).toBe(listeners);
  });

  test('is told of by the first digits of a key, each place once', async () => {
    const { req, res } = await received(['POST /mcp HTTP/1.1', 'Host: x']);
    const [one, other] = [listener(), listener()];
    const watch = observedBy({ requested: () => one }, { requested: () => other }).watch(req, res);
    watch?.decided('pinned', KEY);
    for (const url of ['http://a', 'http://a/', 'http://b', 'nowhere']) watch?.goesTo(url);
    watch?.opened(KEY);
    watch?.refused('session_lost', undefined);
    expect(one.told).toEqual([
      ['decided', 'pinned', SHORT],
      ['goesTo', 'http://a'],
      ['goesTo', 'http://b'],
      ['opened', SHORT],
      ['refused', 'session_lost'],
    ]);
    expect(other.told).toEqual(one.told);
  });

  test('is told of once it is over, whatever was decided first', async () => {
    const { req, res } = await received(['GET /mcp HTTP/1.1', 'Host: x']);
    const decided: DecidedRequest[] = [];
    const observers = observedBy({ decided: (each) => void decided.push(each) });
    const watch = observers.watch(req, res);
    watch?.decided('pinned', KEY);
    watch?.decided('recovered', KEY);
    watch?.goesTo('http://b');
    expect(decided).toEqual([]);
    res.writeHead(202).end();
    res.emit('close');
    expect(decided).toMatchObject([
      { kind: 'recovered', session: SHORT, backend: 'http://b', method: 'GET', status: 202 },
    ]);
  });
});

test('an observer that fails is told as a warning, and the others hear all the same', () => {
  const warned = warnings();
  const heard: unknown[] = [];
  const fail = (): never => {
    throw new Error('mistake of the observer');
  };
  const observers = observedBy(
    { stored: fail, opened: fail, closed: fail },
    { stored: (...told) => heard.push(told), opened: (...told) => heard.push(told) },
  );
  observers.stored('read', 5, 'timeout');
  observers.opened(KEY, undefined);
  observers.closed();
  expect(heard).toEqual([
    ['read', 0.005, 'timeout'],
    [SHORT, undefined],
  ]);
  expect(warned).toEqual(Array.from({ length: 3 }, () => 'Error: mistake of the observer'));
});
