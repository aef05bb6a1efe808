import { EventEmitter } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { originOf } from '../backends/origin.ts';
import { withoutHopByHop } from '../http/hop-by-hop.ts';
import { isOver, routedRequestOf } from '../http/routed-request.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { BackendAgent } from './backend-agent.ts';
import { leaveUnframedBody, pipeOnceConnected, restoreConsumedBody } from './consumed-body.ts';
import { startDispatch } from './dispatch.ts';
import { keepChunkedDelete, nameCoding, NO_REASON_PHRASE, outgoingPath } from './framing.ts';
import { noteKeepAlive } from './keep-alive.ts';
import { closeWithConnection } from './pipelined.ts';
import { takeOverErrors } from './proxy-errors.ts';
import type { ProxyOptionsLike, ProxyServerLike } from './proxy-like.ts';
import { targetUrl } from './target-url.ts';
import { wrapRouter } from './wrap-router.ts';

const CLOSE = /(?:^|[\s,])close(?:$|[\s,])/i;

/**
 * The plugin for http-proxy-middleware 3 and 4: routes sessions, also where the proxy has only a `target` or a
 * `router` of its own; brings an agent for the backends unless the options have one; answers failures in JSON-RPC
 * unless `on.error` does; and mends how the proxies treat streams, hop-by-hop headers and bodies that were read.
 *
 * @example
 * createProxyMiddleware({ pathFilter: '/mcp', target, plugins: [sessionPlugin] })
 */
export function sessionPlugin(proxyServer: ProxyServerLike, options: ProxyOptionsLike): void {
  /** Requests whose client wants the connection closed. */
  const closing = new WeakSet<IncomingMessage>();
  // Their path is not the client's.
  const ownPath = options.ignorePath === true || options.toProxy === true;
  const handled = options.selfHandleResponse === true;
  // http-proxy, under http-proxy-middleware 3, has an emitter of its own.
  const isVersion3 = !(proxyServer instanceof EventEmitter);
  const manner = {
    secure: options.secure !== false,
    changeOrigin: options.changeOrigin === true,
  };
  if (options.forward !== undefined) {
    throw new SessionRoutingError(
      'invalid_option',
      "forward: a copy of a session's request must not reach another server; leave it out, or mirror at the backend",
    );
  }
  options.agent ??= new BackendAgent();
  wrapRouter(options);
  takeOverErrors(proxyServer, options);

  proxyServer.on('start', (req: IncomingMessage, res: http.ServerResponse, target: unknown) => {
    const routed = routedRequestOf(req);
    const url = targetUrl(target);
    routed?.sent(url);
    const origin = originOf(url);
    if (CLOSE.test(req.headers.connection ?? '')) closing.add(req);
    req.headers = withoutHopByHop(req.headers);
    // The 100 has been sent by node:http; and with this header the proxies leave out "proxyReq".
    delete req.headers.expect;
    keepChunkedDelete(req);
    nameCoding(req);
    leaveUnframedBody(req);
    restoreConsumedBody(req);
    pipeOnceConnected(req);
    closeWithConnection(req, res);
    const path = ownPath ? undefined : outgoingPath(req, target);
    startDispatch({ routed, origin, res, path });
  });

  proxyServer.on(
    'proxyReq',
    (proxyReq: ClientRequest, req: IncomingMessage, res: http.ServerResponse) => {
      const routed = routedRequestOf(req);
      routed?.sentAs({ path: proxyReq.path, ...manner });
      // Before the proxy, and before whoever handles the response in its place.
      proxyReq.prependOnceListener('response', ({ statusCode = 0, headers }: IncomingMessage) =>
        routed?.answering(statusCode, headers),
      );
      // The logger makes a URL of it and throws where it is none, which ends the process.
      if (isVersion3 && isIPv6(proxyReq.host)) proxyReq.host = `[${proxyReq.host}]`;
      // httpxy closes the connection after a chunked body; node:http frames such a body itself.
      if (!proxyReq.headersSent) proxyReq.removeHeader('connection');
      // A 101 that nobody has asked for: the proxies hear neither of an answer nor of a failure.
      proxyReq.once('upgrade', (_answer: IncomingMessage, socket: Duplex) => {
        socket.destroy();
        proxyReq.emit('error', new Error('the backend has switched protocols'));
      });
      if (isOver(res)) proxyReq.destroy();
      else res.on('close', () => res.writableFinished || proxyReq.destroy());
    },
  );

  proxyServer.on(
    'proxyRes',
    (proxyRes: IncomingMessage, req: IncomingMessage, res: http.ServerResponse) => {
      // node:http takes a status such as 000 from a backend, and throws where it is to be sent on, which would end the
      // process; after a 101 the client would take what follows for another protocol.
      if ((proxyRes.statusCode ?? 0) < 200) {
        proxyRes.statusCode = 502;
        routedRequestOf(req)?.refuse('upstream_failed');
        proxyRes.destroy();
        return;
      }
      noteKeepAlive(proxyRes.socket, proxyRes.headers['keep-alive']?.toString());
      proxyRes.headers = withoutHopByHop(proxyRes.headers);
      nameCoding(proxyRes);
      // node:http takes it from a backend, and throws where it is to be sent on, which would end the process.
      if (NO_REASON_PHRASE.test(proxyRes.statusMessage ?? '')) proxyRes.statusMessage = '';
      // The proxies answer with the request's own "Connection".
      if (closing.has(req)) req.headers.connection = 'close';
      // A backend that breaks off must not look like one that has finished.
      proxyRes.on('close', () => proxyRes.complete || res.destroy());
      // Before httpxy destroys the response: afterwards it looks as if the client had left.
      proxyRes.prependOnceListener('aborted', () => {
        const routed = routedRequestOf(req);
        const origin = originOf(routed?.route.backendUrl);
        if (origin !== undefined && !isOver(res)) void routed?.brokenOff(origin);
      });
      // With `selfHandleResponse` the app has not written its head yet.
      if (!handled && /^text\/event-stream/i.test(proxyRes.headers['content-type'] ?? '')) {
        // Not at once, since a short stream would need two packets for one.
        setImmediate(() => res.headersSent || isOver(res) || res.flushHeaders());
      }
    },
  );
}
