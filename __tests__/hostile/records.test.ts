import { createServer } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryStore, type SessionStore } from '../../src/index.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { gateway, type Gateway, type GatewayOptions } from '../helpers/gateway.ts';
import { listen } from '../helpers/listen.ts';
import { call, initialize, openSession, terminate } from '../helpers/mcp-client.ts';
import { stacks } from '../helpers/pairings.ts';
import { expectRefusal } from '../helpers/refusal.ts';
import { scriptedBackends, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { keyOf } from '../helpers/scripted-store.ts';

type Stored = Record<string, unknown>;

/** A server that nobody should ever connect to. */
async function strangerOf(): Promise<{ origin: string; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  return { origin: listening.origin, connections: () => connections };
}

const deep = (levels: number): unknown =>
  JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));

/** What an enemy puts in place of a record; `stranger` is the origin of a server of theirs. */
const POISON: readonly (readonly [string, (record: Stored, stranger: string) => unknown])[] = [
  ...Object.entries({
    'a stranger': (stranger: string) => stranger,
    'a stranger, with a path': (stranger: string) => `${stranger}/mcp`,
    'a stranger behind credentials': (stranger: string) => stranger.replace('//', '//backend@'),
    'the metadata of a cloud': () => 'http://169.254.169.254/latest/meta-data/',
    'a file': () => 'file:///etc/passwd',
    'a socket': () => 'unix:/var/run/docker.sock',
    'another protocol': (stranger: string) => stranger.replace('http:', 'gopher:'),
    script: () => 'javascript:process.exit()',
    'no URL': () => '//',
    'an empty string': () => '',
    'a line break': (stranger: string) => `${stranger}\r\nX: y`,
    'ten thousand characters': (stranger: string) => `${stranger}/${'a'.repeat(10_000)}`,
    'a number': () => 7,
    'a list': (stranger: string) => [stranger],
    'an object': (stranger: string) => ({ toString: () => stranger }),
  }).map(([what, url]): [string, (record: Stored, stranger: string) => unknown] => [
    `backend_url is ${what}`,
    (record, stranger) => ({ ...record, backend_url: url(stranger) }),
  ]),
  ['it is null', () => ({ ...Object.create(null) })],
  ['it is a string', () => 'record'],
  ['it is a number', () => 1],
  ['it is a list', (record) => [record]],
  ['it is a function', () => () => {}],
  ['it is deep', () => deep(5000)],
  ['it inherits its members', (record) => Object.create(record) as unknown],
  [
    'it has __proto__',
    (record, stranger) =>
      JSON.parse(
        JSON.stringify({ ...record, backend_url: undefined }).replace(
          '{',
          `{"__proto__":{"backend_url":"${stranger}","ended":false},`,
        ),
      ),
  ],
  ['it is another session’s', (record) => ({ ...record, session: keyOf('other') })],
  ['it names no session', ({ session: _session, ...record }) => record],
  ['its version is none', (record) => ({ ...record, version: '1' })],
  ['its version is huge', (record) => ({ ...record, version: 1e300 })],
  ['it is of a later format', (record) => ({ ...record, format: 2 })],
  [
    'its members are computed',
    (record, stranger) =>
      Object.defineProperty({ ...record }, 'backend_url', {
        get: () => stranger,
        enumerable: true,
      }),
  ],
  [
    'it is a Proxy',
    () =>
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor: () => {
            throw new Error('no');
          },
        },
      ),
  ],
  ['its principal is no string', (record) => ({ ...record, principal: 7 })],
  ['it is a note', (record) => ({ ...record, note: 'x' })],
];

/** A store on which somebody else can write: what it gives back is what they make of it. */
class OpenStore {
  readonly kept = new MemoryStore();
  poison: (record: Stored) => unknown = (record) => record;

  /** Not this process's own memory, as far as the middleware is told. */
  asStore(): SessionStore {
    const { kept } = this;
    return {
      get: (id) => kept.get(id),
      set: (id, record, ttl) => kept.set(id, record, ttl),
      delete: (id) => kept.delete(id),
      create: (id, record, ttl) => kept.create(id, record, ttl),
      replace: (id, record, ttl, version) => kept.replace(id, record, ttl, version),
      getWithExpiry: (id) => {
        const found = kept.getWithExpiry(id);
        return found && { ...found, record: this.poison({ ...Object(found.record) } as Stored) };
      },
    };
  }
}

describe.each(stacks)('a poisoned store ($name)', ({ app: express, proxy }) => {
  let backends: ScriptedBackend[];
  let store: OpenStore;
  let stranger: Awaited<ReturnType<typeof strangerOf>>;

  const start = (options: GatewayOptions['options'] = {}): Promise<Gateway> =>
    gateway({ express, proxy, store: store.asStore(), options: { cache: false, ...options } });
  const origins = (): string[] => backends.map(({ origin }) => origin);
  const hits = (): number => backends.reduce((sum, { hits: own }) => sum + own.length, 0);

  beforeEach(async () => {
    backends = await scriptedBackends(2);
    store = new OpenStore();
    stranger = await strangerOf();
  });

  test.each(POISON)('A10, D8: %s', async (_what, poison) => {
    const gw = await start({ backends: origins() });
    const id = await openSession(gw);
    await call(gw, id).expect(200);
    store.poison = (record) => poison(record, stranger.origin);
    const before = hits();
    const answer = await call(gw, id).expect(404);
    expect(answer.text).toContain('"reason":"session_ended"');
    expect([hits() - before, stranger.connections()]).toEqual([0, 0]);
    store.poison = (record) => record;
    await initialize(gw).expect(200);
  });

  describe('with a secret', () => {
    const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

    test.each<[string, (record: Stored, other: Stored) => Stored]>([
      ['moved to another backend', (record, { backend_url }) => ({ ...record, backend_url })],
      ['not signed', ({ mac: _mac, ...record }) => record],
      ['signed by another secret', (record) => ({ ...record, mac: 'A'.repeat(43) })],
      ['signed by something else', (record) => ({ ...record, mac: 7 })],
      ['signed for another session', (record, other) => ({ ...other, session: record['session'] })],
      ['given to another principal', (record) => ({ ...record, principal: 'x' })],
      [
        'of an ended session that is to live',
        ({ ended: _ended, ...record }) => ({ ...record, version: 7 }),
      ],
    ])('a record is not believed that is %s', async (_what, forge) => {
      // Without a list of backends the record alone says where a session is.
      const gw = await start({ secret: NEW, backends: origins() });
      const [one, two] = [await openSession(gw), await openSession(gw)];
      const other = store.kept.get(keyOf(two)) as unknown as Stored;
      store.poison = (record) => forge(record, other);
      const before = hits();
      expectRefusal(await call(gw, one), 'session_ended', { id: '2' });
      expect(hits()).toBe(before);
    });

    test('sessions of the secret before live on, and those of a stranger’s do not', async () => {
      const old = await start({ secret: OLD, backends: origins() });
      const id = await openSession(old);
      const rotated = await start({ secret: [NEW, OLD], backends: origins() });
      await call(rotated, id).expect(200);
      const later = await openSession(rotated);
      await call(await start({ secret: NEW, backends: origins() }), later).expect(200);
      expectRefusal(await call(old, later), 'session_ended', { id: '2' });
      const without = await start({ backends: origins() });
      await call(without, later).expect(200);
      expectRefusal(await call(old, await openSession(without)), 'session_ended', { id: '2' });
    });

    test('an end is signed too', async () => {
      const gw = await start({ secret: NEW, backends: origins() });
      const id = await openSession(gw);
      await terminate(gw, id).expect(200);
      const cold = await start({ secret: NEW, backends: origins() });
      expectRefusal(await call(cold, id), 'session_ended', { id: '2' });
      expect(cold.sessions.stats().unusableRecords).toBe(0);
    });
  });
});
