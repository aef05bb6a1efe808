import http, { type ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Connections } from '../http/routed-request.ts';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { Route } from '../routing/route.ts';
import { connect, failedOverTo, serverNameOf, type ConnectOptions } from './connect.ts';
import { takeDispatch, type Dispatch } from './dispatch.ts';
import { endIdle, startIdle } from './keep-alive.ts';

type DispatchArgs = ConnectOptions & {
  servername?: string | undefined;
  dispatch?: Dispatch;
  request?: ClientRequest;
};

/** What `http.request` calls to get a socket; it is documented nowhere and not in the types. */
const superAddRequest: unknown = Reflect.get(http.Agent.prototype, 'addRequest');

const NO_DISPATCH: Dispatch = { routed: undefined, origin: undefined, path: undefined };

/**
 * The connections to the backends, http and https: kept alive for less time than the backends do, without a cap
 * that open streams could exhaust, and with a deadline for connecting. A request that could not be connected goes
 * to the next backend, if it may: no byte of it has been sent.
 */
export class BackendAgent extends http.Agent implements Connections {
  /** In use, and not to be used again. */
  readonly #left = new WeakSet<Duplex>();

  constructor() {
    super({ keepAlive: true });
    // http.request and https.request each insist on their own protocol, unless the agent names none.
    Reflect.set(this, 'protocol', undefined);
  }

  addRequest(request: ClientRequest, options: DispatchArgs): void {
    const dispatch = takeDispatch();
    dispatch?.routed?.onClose(this);
    // http-proxy tidies the path up ("//" becomes "/", "{" becomes "%7B"); the backend gets what the client sent.
    if (dispatch?.path !== undefined && !request.headersSent) request.path = dispatch.path;
    // Left out, the certificate would be checked for the name that the client has put into "Host".
    // The options are a copy that node:http has made for this request: to make another one would cost more than all else here.
    options.servername ??= serverNameOf(options.host);
    if (dispatch) {
      options.dispatch = dispatch;
      options.request = request;
    }
    // What is on its way already is heard first: that a backend has closed the very connection that is free, for one.
    setImmediate(() => {
      if (typeof superAddRequest === 'function')
        Reflect.apply(superAddRequest, this, [request, options]);
    });
  }

  override createConnection(
    options: DispatchArgs,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { dispatch = NO_DISPATCH, request, ...args } = options;
    connect(dispatch, args).then(
      (socket) => {
        if (request) renameHost(request, dispatch.origin, failedOverTo(socket));
        if (request) renameSession(request, dispatch.routed?.route);
        callback?.(null, socket);
      },
      (error: Error) => callback?.(error, undefined as never),
    );
  }

  override getName(options?: DispatchArgs): string {
    return `${options?.dispatch?.origin ?? ''}|${super.getName(options)}`;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const kept: unknown = super.keepSocketAlive(socket);
    if (kept === false || this.#left.has(socket)) return false;
    if (failedOverTo(socket) !== undefined || !startIdle(socket)) return false;
    socket.once('end', removeClosed);
    return true;
  }

  leave(origin: string): void {
    const to = `${origin}|`;
    for (const [name, sockets = []] of Object.entries(this.freeSockets)) {
      if (name.startsWith(to)) for (const socket of sockets) socket.destroy();
    }
    for (const [name, sockets = []] of Object.entries(this.sockets)) {
      if (name.startsWith(to)) for (const socket of sockets) this.#left.add(socket);
    }
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    endIdle(socket);
    socket.off('end', removeClosed);
    super.reuseSocket(socket, request);
  }
}

/** node:http takes a socket that its backend has closed out when it has closed it too, and uses it until then. */
function removeClosed(this: Duplex): void {
  this.destroy();
  this.emit('agentRemove');
}

/** With `changeOrigin` the request names the backend that was to take it; now it goes to another one. */
function renameHost(
  request: ClientRequest,
  from: string | undefined,
  to: string | undefined,
): void {
  if (from === undefined || to === undefined || request.headersSent) return;
  if (request.getHeader('host') === new URL(from).host) request.setHeader('host', new URL(to).host);
}

/** The session may have been recovered while the request was on its way: its backend has another name for it. */
function renameSession(request: ClientRequest, route: Route | undefined): void {
  if (route?.kind !== 'pinned' || route.backendSession === undefined || request.headersSent) return;
  request.setHeader(SESSION_HEADER, route.backendSession);
}
