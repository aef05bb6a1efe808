import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { dialAgainIfReset, serverNameOf } from '../connect.ts';
import { IDLE_TIMEOUT, MARGIN } from '../keep-alive.ts';

/** Probes of the network on a connection that is quiet: a stream to a host that is gone must end some time (ms). */
const KEEP_ALIVE_PROBE = 60_000;

/** Who is told of the connection of a lane. */
export interface LaneUser {
  /** The answer that is waited for: nobody needs the connection any more when it is closed. */
  readonly res: ServerResponse;
  /** A connection was made. */
  connected(): void;
}

/**
 * One connection to a backend, made when it is first needed and again when it was closed, for one request at a
 * time: a stream that stays open for hours holds up nothing else.
 */
export class Lane {
  /** Why there is no connection: then no byte was sent. */
  connectError: Error | undefined;
  /** The connection was reset, or has failed otherwise: what looks like the end of an answer is none. */
  broken = false;
  /** It is not to be used again. */
  left = false;
  #socket: Socket | undefined;
  #paused = false;
  readonly #client: Client;
  readonly #servername: string;
  #user: LaneUser | undefined;

  /** `onIdleClosed` is told when the connection was closed while nobody used it. */
  constructor(
    origin: string,
    tls: ConnectionOptions | undefined,
    onIdleClosed: (lane: Lane) => void,
  ) {
    this.#servername = new URL(origin).hostname;
    this.#client = new Client(origin, {
      connect: (place, callback) => {
        const { hostname: host, port, protocol } = place;
        const secure = protocol === 'https:';
        const address = {
          ...(secure && { servername: serverNameOf(host), ...tls }),
          host,
          port: port || (secure ? 443 : 80),
          ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE },
        };
        dialAgainIfReset(address, secure, this.#user?.res).then(
          (socket) => {
            this.connectError = undefined;
            this.#adopt(socket);
            this.#user?.connected();
            callback(null, socket);
          },
          (error: Error) => {
            this.connectError = error;
            callback(error, null);
          },
        );
      },
      // Tools run long; whoever wants a limit sets it for the request.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Free connections are closed before the backend closes them.
      keepAliveTimeout: IDLE_TIMEOUT,
      keepAliveMaxTimeout: IDLE_TIMEOUT,
      keepAliveTimeoutThreshold: MARGIN,
    });
    this.#client.on('disconnect', () => this.#user || onIdleClosed(this));
  }

  send(options: Dispatcher.DispatchOptions, user: LaneUser & Dispatcher.DispatchHandler): void {
    this.#user = user;
    this.connectError = undefined;
    this.#client.dispatch(this.#named(options), user);
  }

  /**
   * Stops reading what the backend sends. It is the socket that is stopped and not undici's parser, which must not
   * be told of the end of a connection while it is paused: it would throw, and end the process.
   */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not at once: this may be called while undici parses, which it cannot do for two connections at a time.
    queueMicrotask(() => this.#paused || this.#socket?.emit('readable'));
  }

  /** The request is over. */
  free(): void {
    this.#user = undefined;
    this.resume();
  }

  /**
   * Left out, the servername would be that of the client's Host, and another one would be another connection. Without
   * TLS nobody asks for it, but undici would take it out of "Host" all the same, and fail where that is none ("[::1").
   */
  #named(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
    const named = { ...options, servername: this.#servername };
    return named;
  }

  #adopt(socket: Socket): void {
    this.#socket = socket;
    this.broken = false;
    this.#paused = false;
    // Before undici, which takes a reset for the end of an answer without a length.
    socket.on('error', () => {
      if (this.#socket === socket) this.broken = true;
    });
    const read = socket.read.bind(socket);
    socket.read = (size): unknown => (this.#paused && size !== 0 ? null : read(size));
  }

  /** Closes the connection at once. */
  close(): void {
    this.#client.destroy().catch(() => {});
  }
}
