import { randomUUID } from 'node:crypto';
import net from 'node:net';
import type { Balance } from '../../src/index.ts';
import { onCleanup } from '../helpers/cleanup.ts';
import { gateway, type Gateway } from '../helpers/gateway.ts';
import { listen } from '../helpers/listen.ts';
import { initialize } from '../helpers/mcp-client.ts';
import type { Stack } from '../helpers/pairings.ts';
import { rawHttp } from '../helpers/raw-http.ts';
import { headerOf, NONCE, type RawBackend, rawBackend } from './raw-backend.ts';
import { type Message, readAnswers } from './strict-http.ts';

/** A gateway in front of backends A and B, and a server that it must not know. */
export interface Scene {
  readonly gw: Gateway;
  readonly a: RawBackend;
  readonly b: RawBackend;
  /** Connections to it are counted. */
  readonly stranger: { readonly host: string; connections: number };
  /** Ids of a session at A, of one at B, and of one at A that has ended. */
  readonly live: string;
  readonly other: string;
  readonly ended: string;
}

/** `allAtB`: sessions are opened at B, but for those of a request with `X-At: A`. */
export async function startScene({ app, proxy }: Stack, allAtB = false): Promise<Scene> {
  const [a, b] = [await rawBackend('A'), await rawBackend('B')];
  const balance: Balance = (_, { headers }) => (headers['x-at'] === 'A' ? a.origin : b.origin);
  const options = { backends: [a.origin, b.origin], ...(allAtB && { balance }) };
  const gw = await gateway({ express: app, proxy, options });
  const open = async (at: string): Promise<string> =>
    (await initialize(gw, { 'X-At': at })).get('Mcp-Session-Id') ?? '';
  const [live, other, ended] = [await open('A'), await open('B'), await open('A')];
  await gw.sessions.end(ended);
  return { gw, a, b, live, other, ended, stranger: await startStranger() };
}

async function startStranger(): Promise<Scene['stranger']> {
  const server = net.createServer((socket) => {
    stranger.connections += 1;
    socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const listening = await listen(server);
  onCleanup(() => listening.close());
  const stranger = { host: `127.0.0.1:${listening.port}`, connections: 0 };
  return stranger;
}

/** Puts the scene's names in place of `{live}` and the like. */
export function inScene(text: string, { live, other, ended, a, b, stranger }: Scene): string {
  const names: Readonly<Record<string, string>> = {
    ...{ live, other, ended, LIVE: live.toUpperCase() },
    ...{ A: a.host, B: b.host, stranger: stranger.host },
  };
  return text.replace(
    /\{(live|LIVE|other|ended|A|B|stranger)\}/g,
    (_, name: string) => names[name] ?? '',
  );
}

/** A request that has to be answered, and by whom it is known. */
export interface Honest {
  readonly nonce: string;
  readonly bytes: string;
}

/** An honest request, of a session or without one, after which the connection is closed. */
export function honestRequest(session?: string): Honest {
  const nonce = randomUUID();
  const lines = session === undefined ? [] : [`Mcp-Session-Id: ${session}`];
  const head = ['Host: gateway', `${NONCE}: ${nonce}`, 'Connection: close', ...lines];
  return { nonce, bytes: [`GET /honest HTTP/1.1`, ...head, '', ''].join('\r\n') };
}

/**
 * Asks for both sessions, on connections of their own. Whatever was on its way before is there when they are answered.
 * @throws {Error} unless each is answered by its own backend
 */
export async function askHonestly({ gw, live, other }: Scene): Promise<void> {
  const asked = [
    [live, 'A'],
    [other, 'B'],
  ] as const;
  await Promise.all(
    asked.map(async ([session, by]) => {
      const { nonce, bytes } = honestRequest(session);
      const text = await rawHttp(gw.url, bytes);
      const [answer] = readAnswers(text);
      if (answer?.body !== JSON.stringify({ by, nonce }))
        throw new Error(`an honest request of ${by} was answered by ${JSON.stringify(text)}`);
    }),
  );
}

/** A request that has reached a backend. */
export interface Arrival extends Message {
  readonly at: string;
}

/** What has reached a backend, but for honest requests. */
export function arrivalsIn({ a, b }: Scene): Arrival[] {
  return [a, b].flatMap((backend) =>
    backend
      .arrivals()
      .filter((message) => headerOf(message, NONCE) === undefined)
      .map((message) => ({ ...message, at: backend.name })),
  );
}

/** A request has reached a backend that should not, or one is missing; `npm run test:hostile` counts these. */
export class UnexpectedHits extends Error {
  override readonly name = 'UnexpectedHits';
}
