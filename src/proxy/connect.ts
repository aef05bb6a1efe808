import type { ClientRequestArgs, ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { originOf } from '../backends/origin.ts';
import { connectFailureOf, isReset, NotDispatched, type Dispatch } from './dispatch.ts';
import { writeAsOne } from './one-write.ts';

/** How long a backend may take to accept a connection (ms). */
const CONNECT_TIMEOUT = 2000;

export type ConnectOptions = ClientRequestArgs & { readonly servername?: string | undefined };

/** Sockets that go to another backend than the agent was asked for: they must not be kept under its name. */
const failedOver = new WeakMap<Duplex, string>();

/** The origin that a socket goes to in place of the one the agent was asked for. */
export function failedOverTo(socket: Duplex): string | undefined {
  return failedOver.get(socket);
}

/**
 * Connects to the backend of a dispatch or, while no byte has been sent, to the next one that takes the request.
 * @throws {NotDispatched} with what the client is told, when there is none
 */
export async function connect(dispatch: Dispatch, options: ConnectOptions): Promise<Socket> {
  const { routed, res } = dispatch;
  let { origin } = dispatch;
  for (;;) {
    try {
      const there = origin === dispatch.origin ? options : addressOf(origin, options);
      // Without an origin the proxy follows a redirect of its own.
      const secure = origin?.startsWith('https:') ?? options._defaultAgent instanceof https.Agent;
      const socket = await dialAgainIfReset(there, secure, res);
      if (origin !== undefined && origin !== dispatch.origin) failedOver.set(socket, origin);
      if (origin !== undefined) routed?.reached(origin);
      return socket;
    } catch (error) {
      // A client that has left tells nothing of the backend.
      if (!routed || origin === undefined || res?.destroyed) throw error;
      const next = await routed.connectFailed(origin, connectFailureOf(error));
      if (next.kind === 'default') throw error;
      if (next.kind !== 'backend') throw new NotDispatched(next, error);
      origin = originOf(next.url);
    }
  }
}

/** A backend that goes away resets what it has not accepted yet: the second try tells whether it is gone. */
export async function dialAgainIfReset(...args: Parameters<typeof dial>): Promise<Socket> {
  try {
    return await dial(...args);
  } catch (error) {
    if (!isReset(error)) throw error;
    return dial(...args);
  }
}

function dial(
  options: ConnectOptions,
  secure: boolean,
  res: ServerResponse | undefined,
): Promise<Socket> {
  const { socketPath, port } = options;
  const place = socketPath ? { path: socketPath } : { port: Number(port), path: undefined };
  const address = { ...options, ...place } as net.NetConnectOpts;
  const socket = secure ? tls.connect(address as tls.ConnectionOptions) : net.connect(address);
  // Whoever gets the socket listens a moment later.
  socket.on('error', () => {});
  const ready = secure ? 'secureConnect' : 'connect';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${CONNECT_TIMEOUT} ms`);
      socket.destroy(Object.assign(late, { code: 'ETIMEDOUT', syscall: 'connect' }));
    }, CONNECT_TIMEOUT);
    const leave = (): unknown => socket.destroy();
    res?.once('close', leave);
    socket.once('error', fail);
    socket.once('close', fail);
    socket.once(ready, () => {
      settle();
      writeAsOne(socket);
      resolve(socket);
    });

    function fail(error?: unknown): void {
      settle();
      reject(typeof error === 'object' ? error : new Error('closed while connecting'));
    }

    function settle(): void {
      clearTimeout(timer);
      res?.off('close', leave);
      socket.off('error', fail);
      socket.off('close', fail);
    }
  });
}

function addressOf(origin: string | undefined, first: ConnectOptions): ConnectOptions {
  const url = new URL(origin ?? '');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port || (url.protocol === 'https:' ? 443 : 80);
  const servername =
    first.servername === serverNameOf(first.host) ? serverNameOf(host) : first.servername;
  return { ...first, host, hostname: host, port, servername };
}

/** The name that a backend's certificate is checked for; addresses are none. */
export function serverNameOf(host: string | null | undefined): string {
  return host && !net.isIP(host) ? host : '';
}
