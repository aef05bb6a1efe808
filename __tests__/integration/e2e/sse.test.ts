import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Backends, type ServerKind, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import { type ClientKind, createClient, type RealClient } from '../../helpers/e2e-clients.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, openAll } from '../../helpers/e2e-runs.ts';
import { sharedRedisUrl } from '../../helpers/redis-server.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

const CLIENTS = 6;
const CALLS = 5;

const servers: [ServerKind, string, string][] = [
  ['every era', 'note', 'nonce'],
  ['server-everything in its mode sse', 'echo', 'message'],
  ['a script like those of the Python SDK', 'note', 'nonce'],
];

describe.each(servers)('HTTP+SSE, three servers: %s', (server, tool, argument) => {
  let backends: Backends;
  let urls: string[];

  beforeAll(async () => {
    backends = await startBackends(server);
    const settings = { BACKENDS: backends.list, REDIS_URL: await sharedRedisUrl() };
    const gateways = await Promise.all([startGateway(settings), startGateway(settings)]);
    urls = gateways.map(({ url }) => url);
  });

  /** The streams are open at one gateway; the messages go to both of them in turns. */
  function createFleet(kind: ClientKind): RealClient[] {
    let turn = 0;
    return Array.from({ length: CLIENTS }, (_, index) => {
      const [stream = ''] = urls;
      return createClient(kind, stream.replace('/mcp', '/sse'), {
        name: `client ${index}`,
        fetch(to, init) {
          turn += 1;
          const gateway = init?.method === 'POST' ? urls[turn % 2] : stream;
          return fetch(new URL(new URL(to).pathname + new URL(to).search, gateway), init);
        },
      });
    });
  }

  it.each<[ClientKind]>([['SDK v1 SSE'], ['SDK v2 SSE']])(
    'each message of a client, %s, is at home, whichever gateway it reaches',
    async (kind) => {
      const fleet = createFleet(kind);
      const sessions = await openAll(fleet).then(() => fleet.map((each) => each.session() ?? ''));
      for (let call = 0; call < CALLS; call += 1) {
        await Promise.all(
          fleet.map((client) =>
            client.call(tool, { [argument]: `${kind} ${client.name} ${call}` }),
          ),
        );
      }
      await closeAll(fleet);
      const { owners, ownCalls, astray, repeated } = judge(backends.history());
      expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
      expect(ownCalls(sessions)).toBe(CLIENTS * CALLS);
      expect(new Set(sessions.map((session) => owners.get(session)))).toEqual(new Set('abc'));
    },
  );
});
