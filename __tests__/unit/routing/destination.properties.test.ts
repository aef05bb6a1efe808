import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Backends } from '../../../src/backends/backends.ts';
import { originOf } from '../../../src/backends/origin.ts';
import { Outages } from '../../../src/backends/outages.ts';
import { Traffic } from '../../../src/backends/traffic.ts';
import { SessionRoutingError } from '../../../src/protocol/errors.ts';
import { EraFinder } from '../../../src/routing/era-finder.ts';
import { keyOf } from '../../../src/routing/keys.ts';
import { Places } from '../../../src/routing/places.ts';
import type { OpenRoute } from '../../../src/routing/route.ts';
import { SessionRouting } from '../../../src/routing/session-routing.ts';
import {
  BACKEND_SESSION,
  BACKEND_URL,
  newRecord,
  type SessionRecord,
} from '../../../src/store/record.ts';
import { seal } from '../../../src/store/seal.ts';
import { SessionDirectory } from '../../../src/store/session-directory.ts';
import { scriptedStore } from '../../helpers/scripted-store.ts';

const now = (): number => 0;
const opened = new Set<Backends | undefined>();

afterEach(() => {
  for (const backends of opened) backends?.close();
  opened.clear();
});

const LIST = ['http://a', 'http://b:81', 'https://c'];
const SESSION = { key: keyOf('x'), id: 'x' };

function routingOf(list: readonly object[] | undefined): {
  routing: SessionRouting;
  places: Places;
} {
  const none = (): void => {};
  const backends =
    list &&
    new Backends([...list] as { readonly url: string }[], {
      ...{ balance: 'round-robin', health: undefined, eraTtl: 5000, traffic: new Traffic(), now },
      ...{ onDown: none, onUp: none, onUnlisted: none, onRemoved: none },
    });
  const directory = new SessionDirectory(
    scriptedStore(),
    { ttl: 1000, endedTtl: 1000, storeTimeout: 1000, cache: undefined, now, onFailure: none },
    none,
  );
  opened.add(backends);
  const places = new Places({ backends, outages: new Outages(now), lostAfter: 100 });
  const eraFinder = new EraFinder({ backends, ask: async () => ({}) });
  const routing = new SessionRouting({
    ...{
      directory,
      places,
      eraFinder,
      recovery: undefined,
      lostSession: undefined,
      onOpened: none,
    },
  });
  return { routing, places };
}

const id = fc.constantFrom(undefined, 'one', 'two');
const listed = fc
  .uniqueArray(fc.constantFrom(...LIST), { minLength: 1 })
  .chain((urls) =>
    fc.tuple(...urls.map((url) => id.map((of) => (of ? { url, id: of } : { url })))),
  );
const recordedUrl = fc.oneof(
  fc.constantFrom(undefined, ...LIST, 'http://A:80/', 'http://a.evil', 'http://a@evil', 'ftp://a'),
  fc.constantFrom(
    'http://user@b:81',
    'https://c/path',
    'http://c',
    'a',
    '',
    '//a',
    'http://a:8080',
  ),
  fc.domain().map((name) => `http://${name}`),
);
const record = fc
  .tuple(recordedUrl, id)
  .map(([backendUrl, backendId]) =>
    newRecord({ key: SESSION.key, nonce: 'n', backendUrl, backendId, path: '/mcp' }),
  );
const req = fc.constantFrom('POST', 'GET', 'DELETE', undefined).map((method) => {
  return { method, headers: {} } as IncomingMessage;
});

describe('D8: a session, with a list of backends', () => {
  test('A1: goes to the instance that its record names, or to none', () => {
    fc.assert(
      fc.property(listed, record, req, (list, found, request) => {
        const { routing, places } = routingOf(list);
        const named = list.find(({ url }) => url === originOf(found[BACKEND_URL]));
        const { backend_id: of } = found;
        const same = !named || !('id' in named) || of === undefined || named.id === of;
        const route = places.pinned(SESSION, found);
        const owner = named && same ? named.url : undefined;
        expect(route?.backendUrl).toBe(owner);
        if (!route) return;
        const destination = routing.destination(route, request);
        const ended = { kind: 'refuse', reason: 'session_ended' };
        expect(destination).toEqual(owner ? { kind: 'backend', url: owner } : ended);
      }),
      { numRuns: 500 },
    );
  });

  test('with a name at its backend that was not sealed for it has no place', () => {
    fc.assert(
      fc.property(listed, record, fc.string(), (list, found, sealed) => {
        const { places } = routingOf(list);
        const forged: SessionRecord = { ...found, [BACKEND_SESSION]: sealed };
        const stolen = seal('another', BACKEND_SESSION, 'id at the backend');
        expect(places.pinned(SESSION, forged)).toBeUndefined();
        expect(places.pinned(SESSION, { ...found, [BACKEND_SESSION]: stolen })).toBeUndefined();
      }),
    );
  });
});

test('D9: a session without a list goes where its record says, if that is an http(s) URL, else to the target', () => {
  fc.assert(
    fc.property(record, req, (found, request) => {
      const { routing, places } = routingOf(undefined);
      const route = places.pinned(SESSION, found);
      const url = found[BACKEND_URL];
      const expected = originOf(url) === undefined ? { kind: 'default' } : { kind: 'backend', url };
      expect(route && routing.destination(route, request)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

/** `false`: it was refused, as a mistake in the set-up. */
function chosenBy(choose: () => void): boolean {
  try {
    choose();
    return true;
  } catch (error) {
    if (error instanceof SessionRoutingError && error.code === 'invalid_option') return false;
    throw error;
  }
}

const turn = fc.constantFrom('opening' as const, 'other' as const);
const open = fc.record({ opening: fc.boolean(), turn, modern: fc.boolean() });

describe('A7, D1: a request without a session', () => {
  test('goes to backends of the list only, each at most once', async () => {
    await fc.assert(
      fc.asyncProperty(listed, open, req, async (list, facts, request) => {
        const { routing } = routingOf(list);
        const route: OpenRoute = {
          kind: 'open',
          ...facts,
          backendUrl: undefined,
          alternatives: [],
        };
        const tried: string[] = [];
        let at = routing.destination(route, request);
        while (at.kind === 'backend' && tried.length <= list.length) {
          tried.push(at.url);
          expect(route.backendUrl).toBe(at.url);
          at = await routing.connectFailed(route, at.url, 'refused', request);
        }
        expect(at).toEqual({ kind: 'refuse', reason: 'no_backend' });
        expect(tried.toSorted()).toEqual(list.map(({ url }) => url).toSorted());
      }),
    );
  });

  test('is recorded where the app has sent it, and refused if that is none of the list', () => {
    fc.assert(
      fc.property(listed, open, recordedUrl, (list, facts, url) => {
        const { routing } = routingOf(list);
        const route: OpenRoute = {
          kind: 'open',
          ...facts,
          backendUrl: undefined,
          alternatives: [],
        };
        const isListed = list.some((each) => each.url === originOf(url));
        expect(chosenBy(() => routing.chosen(route, url))).toBe(isListed);
        expect(route.backendUrl).toBe(isListed ? url : undefined);
      }),
    );
  });
});
