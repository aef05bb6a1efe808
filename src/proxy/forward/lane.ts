import type { ServerResponse } from 'node:http';
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
  readonly #client: Client;
  #user: LaneUser | undefined;

  /** `onIdleClosed` is told when the connection was closed while nobody used it. */
  constructor(
    origin: string,
    tls: ConnectionOptions | undefined,
    onIdleClosed: (lane: Lane) => void,
  ) {
    this.#client = new Client(origin, {
      connect: (place, callback) => {
        const { hostname: host, port, protocol } = place;
        const secure = protocol === 'https:';
        const address = {
          host,
          port: port || (secure ? 443 : 80),
          ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE },
          ...(secure && { servername: serverNameOf(host), ...tls }),
        };
        dialAgainIfReset(address, secure, this.#user?.res).then(
          (socket) => {
            this.connectError = undefined;
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
    this.#client.dispatch(options, user);
  }

  /** The request is over. */
  free(): void {
    this.#user = undefined;
  }

  /** Closes the connection at once. */
  close(): void {
    this.#client.destroy().catch(() => {});
  }
}
