import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ask, toolCall } from '../helpers/fault-client.ts';
import { faultServers } from '../helpers/fault-servers.ts';
import { show } from '../helpers/fault-size.ts';
import { Way, type RawReply } from '../helpers/fault-way.ts';
import { gateway, type Gateway, type ProxyKind } from '../helpers/gateway.ts';
import { openSessions } from '../helpers/mcp-client.ts';
import { scriptedBackends, type Hit, type ScriptedBackend } from '../helpers/scripted-backend.ts';
import { until } from '../helpers/until.ts';

jest.setTimeout(120_000);

const METHODS = ['POST', 'GET', 'DELETE'] as const;
type Method = (typeof METHODS)[number];
/** Status and reason, or how the connection ended. */
type Told = string;

interface Fault {
  readonly name: string;
  /** What becomes of a request of a session, and of the one after it. */
  readonly told: Readonly<Record<Method, Told>>;
  readonly after: Readonly<Record<Method, Told>>;
  /** Requests of the session that reach the backend while it is broken. */
  readonly arrived: number;
  readonly breakIt: (backend: ScriptedBackend) => unknown;
  readonly mend?: (backend: ScriptedBackend) => unknown;
}

const all = (told: Told): Record<Method, Told> => ({ POST: told, GET: told, DELETE: told });
const answering = (fail: (hit: Hit) => unknown) => (backend: ScriptedBackend) =>
  (backend.answer = (hit) => void fail(hit));
const forgetful = (status: number, message: string) => (backend: ScriptedBackend) => {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null });
  backend.answer = ({ res }) =>
    void res.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
};

const BROKEN_OFF = { told: all('502 upstream_failed'), arrived: 1 };
/** The pin is kept; a DELETE that comes again is carried out. */
const WELL = { after: all('200') };
const OVER = { after: all('404 session_ended') };

const FAULTS: readonly Fault[] = [
  {
    name: 'resets',
    ...BROKEN_OFF,
    ...WELL,
    breakIt: answering(({ req }) => req.socket.resetAndDestroy()),
  },
  {
    name: 'closes without an answer',
    ...BROKEN_OFF,
    ...WELL,
    breakIt: answering(({ req }) => req.socket.end()),
  },
  {
    name: 'sends garbage',
    ...BROKEN_OFF,
    ...WELL,
    breakIt: answering(({ req }) => req.socket.end('nonsense\r\n\r\n')),
  },
  {
    name: 'closes in the middle of the head',
    ...{ ...BROKEN_OFF, ...WELL },
    breakIt: answering(({ req }) => req.socket.end('HTTP/1.1 200 OK\r\nContent-Le')),
  },
  {
    name: 'closes in the middle of the answer',
    ...{ told: all('broken'), arrived: 1 },
    // The head of its answer has said that the DELETE was carried out.
    after: { ...all('200'), DELETE: '404 session_ended' },
    breakIt: answering(({ req, res }) => {
      res.writeHead(200, { 'Content-Length': 100 }).write('half of it', () => req.socket.destroy());
    }),
  },
  {
    name: 'refuses connections',
    told: { ...all('404 session_lost'), DELETE: '204' },
    ...{ arrived: 0, ...OVER },
    breakIt: (backend) => backend.refuse(),
    mend: (backend) => backend.reopen(),
  },
  {
    name: 'has restarted and says 404',
    ...{ told: all('404'), arrived: 1, ...OVER },
    breakIt: (backend) => backend.sessions.clear(),
  },
  {
    name: 'has restarted and says 400, as the examples of the SDK do',
    ...{ told: all('404 session_lost'), arrived: 1, ...OVER },
    breakIt: forgetful(400, 'Bad Request: No valid session ID provided'),
  },
];

const combinations = ([3, 4, 'forward'] as const).flatMap((proxy) =>
  (['a list', 'a discovery'] as const).map((source): [ProxyKind, string] => [proxy, source]),
);

describe.each(combinations)('proxy: %s, backends from %s', (proxy, source) => {
  let gw: Gateway;
  let way: Way;
  let a: ScriptedBackend;
  let b: ScriptedBackend;

  beforeEach(async () => {
    const pair = await scriptedBackends(2);
    [a, b] = pair as [ScriptedBackend, ScriptedBackend];
    const listed = pair.map(({ origin, name }) => ({ url: origin, id: name }));
    const backends = source === 'a list' ? listed : { list: () => listed, refresh: 20 };
    gw = await gateway({ proxy, options: { backends } });
    way = new Way(`${gw.url}/mcp`);
  });

  test.each(FAULTS.flatMap((fault) => METHODS.map((method) => ({ ...fault, method }))))(
    'a server that $name: $method',
    async ({ method, told, after, arrived, breakIt, mend }) => {
      const [onA = '', onB = ''] = await openSessions(gw, 2);
      const before = a.hits.length;
      await breakIt(a);
      expect(await use(way, method, onA)).toBe(told[method]);
      expect(a.hits.length - before).toBe(arrived);
      a.answer = undefined;
      await mend?.(a);
      expect(await use(way, method, onA)).toBe(after[method]);
      expect((await ask(way, onB, toolCall('x'))).status).toBe(200);
      expect(b.hits).toHaveLength(2);
    },
  );
});

test('a server that is frozen is waited for, holds up no other, and executes nothing twice', async () => {
  const servers = faultServers();
  const [frozen, well] = [await servers.start('frozen'), await servers.start('well')];
  const gw = await gateway({ options: { backends: [frozen.url, well.url] } });
  const way = new Way(`${gw.url}/mcp`);
  const [onFrozen = '', onWell = ''] = await openSessions(gw, 2);
  frozen.freeze();
  const nonces = Array.from({ length: 50 }, (_, at) => `frozen ${at}`);
  const waiting = nonces.map((nonce) => ask(way, onFrozen, toolCall(nonce)));
  const deleting = way.send('DELETE', headersOf(onFrozen));
  await until(() => gw.sessions.backends.list()[0]?.requests === 51);
  const waits = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const { status, sentAt, receivedAt } = await ask(way, onWell, toolCall(`well ${at}`));
      expect(status).toBe(200);
      return receivedAt - sentAt;
    }),
  );
  frozen.thaw();

  const statuses = (await Promise.all(waiting)).map(({ status }) => status);
  const executed = servers
    .history()
    .flatMap(({ instance, nonce }) => (instance === 'frozen' && nonce ? nonce : []));
  // The DELETE has come after them, on a connection of its own.
  expect(executed.length).toBe(statuses.filter((status) => status === 200).length);
  expect(new Set(executed).size).toBe(executed.length);
  expect(((await deleting) as RawReply).status).toBe(200);
  show(
    `a server frozen under 50 calls: 100 calls to the other one, the longest ${Math.max(...waits).toFixed()} ms`,
  );
});

function headersOf(session: string): string[] {
  return [`Mcp-Session-Id: ${session}`, 'MCP-Protocol-Version: 2025-11-25'];
}

async function use(way: Way, method: Method, session: string): Promise<Told> {
  const body = method === 'POST' ? JSON.stringify({ jsonrpc: '2.0', id: 1, ...toolCall('x') }) : '';
  const reply = await way.send(method, headersOf(session), body);
  if (typeof reply !== 'object') return reply;
  const reason = /"reason":"(\w+)"/.exec(reply.body)?.[1];
  return reason === undefined ? `${reply.status}` : `${reply.status} ${reason}`;
}
