import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { post, type Reply } from './post.ts';

/** `ok` 2xx, `again` 404: start again, `refused` any other 4xx, `error` 5xx, `broken`: no answer. */
export type Kind = 'ok' | 'again' | 'refused' | 'error' | 'broken';

export interface Answer {
  readonly client: string;
  readonly kind: Kind;
  /** A tool has been called, in place of `initialize` or a notification. */
  readonly isCall: boolean;
  /** When it was asked for and when it was there (ms, as of `Date.now()`). */
  readonly sent: number;
  readonly at: number;
}

export interface Client {
  readonly name: string;
  /** The process that holds its session. */
  home(): string | undefined;
  open(): Promise<void>;
  /** Calls a tool every `pace` ms, or as soon as the call before is through. */
  run(pace: number, offset: number): Promise<void>;
  stop(): void;
}

interface Message {
  readonly id?: string;
  readonly method: string;
  readonly params?: object;
}

/** How long it waits after a 5xx without `Retry-After`, or a broken connection (ms). */
const PAUSE = 250;

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'backend-death', version: '1' },
};

/**
 * A client that does what the specification says: on 404 it starts again, after a 5xx it tries again with the same
 * session. It holds one connection.
 */
export function createClient(
  url: string,
  name: string,
  answered: (answer: Answer) => void,
): Client {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const stopped = new AbortController();
  let session: string | undefined;
  let home: string | undefined;
  let count = 0;

  async function send(message: Message): Promise<Reply | undefined> {
    const sent = Date.now();
    const reply = await post(url, agent, session, message).catch(() => undefined);
    if (stopped.signal.aborted) return reply;
    const isCall = message.method === 'tools/call';
    answered({ client: name, kind: kindOf(reply?.status), isCall, sent, at: Date.now() });
    return reply;
  }

  async function open(): Promise<void> {
    session = undefined;
    while (!stopped.signal.aborted) {
      const reply = await send({ id: nextId(), method: 'initialize', params: INITIALIZE });
      if (reply?.status === 200) {
        session = reply.headers['mcp-session-id']?.toString();
        home = nameIn(reply.text);
        await send({ method: 'notifications/initialized' });
        return;
      }
      await pause(reply);
    }
  }

  async function call(): Promise<void> {
    while (!stopped.signal.aborted) {
      const params = { name: 'work', arguments: {} };
      const reply = await send({ id: nextId(), method: 'tools/call', params });
      if (reply?.status === 200) return;
      if (reply?.status === 404) await open();
      else await pause(reply);
    }
  }

  async function run(pace: number, offset: number): Promise<void> {
    await wait(offset);
    for (let next = Date.now(); !stopped.signal.aborted; next = Math.max(next + pace, Date.now())) {
      await wait(next - Date.now());
      await call();
    }
    agent.destroy();
  }

  async function pause(reply: Reply | undefined): Promise<void> {
    const seconds = Number(reply?.headers['retry-after']);
    await wait(seconds > 0 ? seconds * 1000 : PAUSE);
  }

  async function wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  }

  const nextId = (): string => `${name}/${++count}`;

  return {
    name,
    home: () => home,
    open,
    run,
    stop() {
      stopped.abort();
      agent.destroy();
    },
  };
}

function nameIn(text: string): string {
  const { result } = JSON.parse(text) as { result: { serverInfo: { name: string } } };
  return result.serverInfo.name;
}

function kindOf(status: number | undefined): Kind {
  if (status === undefined) return 'broken';
  if (status < 300) return 'ok';
  if (status === 404) return 'again';
  return status < 500 ? 'refused' : 'error';
}
