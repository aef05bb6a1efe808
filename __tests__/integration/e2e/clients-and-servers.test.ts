import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Backends, type ServerKind, startBackends } from '../../helpers/e2e-backends.ts';
import { killChildren } from '../../helpers/e2e-children.ts';
import {
  type ClientKind,
  createClient,
  type Fetch,
  type RealClient,
} from '../../helpers/e2e-clients.ts';
import { startGateway } from '../../helpers/e2e-gateways.ts';
import { judge } from '../../helpers/e2e-history.ts';
import { closeAll, openAll, post } from '../../helpers/e2e-runs.ts';

jest.setTimeout(120_000);
afterAll(killChildren);

type Call = readonly [tool: string, args: Record<string, unknown>];

interface Tools {
  /** Does nothing but to be called. */
  note(nonce: string): Call;
  /** Reports three steps of 50 ms each. */
  progress(nonce: string): Call;
  /** Asks the client for a completion, and answers with it. */
  sample(nonce: string): Call;
  /** Asks the client to fill in a form, and answers with it. */
  elicit(nonce: string): Call;
  /** Sends a log message on the GET stream. */
  announce(nonce: string): Call;
  announced(nonce: string, session: string | undefined): string;
}

const ofSdk: Tools = {
  note: (nonce) => ['note', { nonce }],
  progress: (nonce) => ['progress', { nonce }],
  sample: (nonce) => ['sample', { nonce }],
  elicit: (nonce) => ['elicit', { nonce }],
  announce: (nonce) => ['announce', { nonce }],
  announced: (nonce) => nonce,
};
const ofEverything: Tools = {
  note: (nonce) => ['echo', { message: nonce }],
  progress: () => ['trigger-long-running-operation', { duration: 0.15, steps: 3 }],
  sample: (nonce) => ['trigger-sampling-request', { prompt: nonce, maxTokens: 10 }],
  elicit: () => ['trigger-elicitation-request', {}],
  announce: () => ['toggle-simulated-logging', {}],
  announced: (_nonce, session) => session ?? 'a session',
};

const servers: [ServerKind, Tools][] = [
  ['SDK v1', ofSdk],
  ['SDK v2', ofSdk],
  ['server-everything', ofEverything],
];

describe.each(servers)('three servers: %s', (server, tools) => {
  let backends: Backends;
  let url: string;
  const clients: RealClient[] = [];

  beforeAll(async () => {
    backends = await startBackends(server);
    ({ url } = await startGateway({ BACKENDS: backends.list }));
  });

  afterEach(async () => {
    await closeAll(clients.splice(0));
  });

  describe.each<[ClientKind]>([['SDK v1'], ['SDK v2']])('a client: %s', (kind) => {
    function create(name = 'client', fetch?: Fetch): RealClient {
      const client = createClient(kind, url, { name, ...(fetch && { fetch }) });
      clients.push(client);
      return client;
    }

    async function open(name?: string): Promise<RealClient> {
      const client = create(name);
      await client.open();
      return client;
    }

    it('lists the tools', async () => {
      const client = await open();
      await expect(client.listTools()).resolves.toContain(tools.note('')[0]);
    });

    it('calls tools in six sessions at the same time, each at home', async () => {
      const fleet = Array.from({ length: 6 }, (_, index) => create(`client ${index}`));
      const sessions = await openAll(fleet);
      for (let round = 0; round < 4; round += 1) {
        await Promise.all(fleet.map((client) => client.call(...tools.note(randomUUID()))));
      }
      const { owners } = judge(backends.history());
      expect(new Set(sessions.map((session) => owners.get(session)))).toEqual(new Set('abc'));
      const calls = backends
        .history()
        .filter(
          (entry) =>
            entry.kind === 'arrived' &&
            sessions.includes(entry.session ?? '') &&
            entry.rpc.includes('tools/call'),
        );
      expect(calls).toHaveLength(24);
    });

    it('is told of progress while a tool runs', async () => {
      const client = await open();
      const seen: number[] = [];
      await client.call(...tools.progress(randomUUID()), (progress) => seen.push(progress));
      expect(seen).toEqual([1, 2, 3]);
    });

    it('is asked for a sample by the server, and its answer arrives', async () => {
      const [one, other] = await Promise.all([open('one'), open('other')]);
      const texts = await Promise.all([
        one.call(...tools.sample(randomUUID())),
        other.call(...tools.sample(randomUUID())),
      ]);
      expect(texts).toEqual([
        expect.stringContaining('sampled by one'),
        expect.stringContaining('sampled by other'),
      ]);
    });

    it('is asked to fill in a form by the server, and its answer arrives', async () => {
      const [one, other] = await Promise.all([open('one'), open('other')]);
      const texts = await Promise.all([
        one.call(...tools.elicit(randomUUID())),
        other.call(...tools.elicit(randomUUID())),
      ]);
      expect(texts).toEqual([
        expect.stringContaining('filled in by one'),
        expect.stringContaining('filled in by other'),
      ]);
    });

    it('hears on its GET stream what its own session is told', async () => {
      const [client, other] = await Promise.all([open(), open()]);
      await Promise.all([client.listening(), other.listening()]);
      const heard: string[] = [];
      void other.logged().then((text) => heard.push(text));
      const nonce = randomUUID();
      await client.call(...tools.announce(nonce));
      const announced = tools.announced(nonce, client.session());
      await expect(client.logged()).resolves.toContain(announced);
      await other.call(...tools.note(randomUUID()));
      expect(heard).toEqual([]);
    });

    it('goes on where its connection broke, with Last-Event-ID', async () => {
      let cut = false;
      const client = create('client', async (to, init) => {
        // The SDKs come back after a while: by then the tool has answered, since one that began later has.
        if (new Headers(init?.headers).has('last-event-id'))
          await client.call(...tools.progress(randomUUID()));
        const response = await fetch(to, init);
        if (cut || !callsTool(init?.body, tools.progress('')[0])) return response;
        cut = true;
        return cutAfterFirstEvent(response);
      });
      await client.open();
      await client.call(...tools.progress(randomUUID()));
      expect(cut).toBe(true);
      const resumed = backends
        .history()
        .filter((entry) => entry.kind === 'arrived' && entry.lastEventId !== undefined)
        .filter((entry) => entry.session === client.session());
      expect(resumed).toHaveLength(1);
    });

    it('ends its session with DELETE: from then on the answer is 404', async () => {
      const client = await open();
      await client.listening();
      const session = client.session();
      await client.terminate();
      const before = backends.history().length;
      const response = await post(url, session);
      expect(response.status).toBe(404);
      await expect(response.text()).resolves.toContain('"code":-32001');
      expect(backends.history()).toHaveLength(before);
    });
  });

  describe('what they have written down themselves', () => {
    it('is no request of a session that another opened, and no call twice', () => {
      const { astray, repeated, owners } = judge(backends.history());
      expect({ astray, repeated }).toEqual({ astray: [], repeated: [] });
      expect(owners.size).toBeGreaterThan(20);
    });
  });
});

/** Whether this is the body of a request that calls the tool. */
function callsTool(body: unknown, tool: string): boolean {
  return typeof body === 'string' && body.includes(`"name":"${tool}"`);
}

/** The connection breaks when the first event has been read. */
function cutAfterFirstEvent({ body, status, headers }: Response): Response {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  const cut = new ReadableStream({
    async pull(controller) {
      while (!seen.includes('\n\n')) seen += (await reader?.read())?.value ?? '';
      const firstEvent = seen.slice(0, seen.indexOf('\n\n') + 2);
      controller.enqueue(new TextEncoder().encode(firstEvent));
      await reader?.cancel();
      controller.error(new TypeError('terminated'));
    },
  });
  return new Response(cut, { status, headers });
}
