import { ServerResponse, type IncomingMessage } from 'node:http';
import { originOf } from '../backends/origin.ts';
import { isOver, routedRequestOf, type RoutedRequest } from '../http/routed-request.ts';
import type { Stop } from '../routing/route.ts';
import { answerStop } from './answer-stop.ts';
import { connectFailureOf, isConnectError, NotDispatched } from './dispatch.ts';
import type { ProxyOptionsLike, ProxyServerLike } from './proxy-like.ts';

type ErrorListener = (error: Error, req: unknown, res: unknown, target: unknown) => void;

/**
 * Answers failed requests in JSON-RPC, in place of the proxies' plain text. Where the options have `on.error` that
 * answers as before, and what was listening before goes on to hear of requests that the middleware has not seen.
 */
export function takeOverErrors(proxyServer: ProxyServerLike, options: ProxyOptionsLike): void {
  const theirs = options.on?.error !== undefined;
  if (theirs && options.ejectPlugins !== true) return;
  const before = proxyServer.listeners('error');
  proxyServer.removeAllListeners('error');
  for (const listener of before) {
    proxyServer.on('error', (...args: Parameters<ErrorListener>) => {
      const ours = isRequest(args[1]) && routedRequestOf(args[1]) !== undefined;
      if (!ours && typeof listener === 'function') Reflect.apply(listener, proxyServer, args);
    });
  }
  const answer: ErrorListener = (error, req, res) => {
    // Where the proxy's plugins were ejected, theirs is heard only if they have seen to it themselves.
    if (theirs && proxyServer.listeners('error').length > before.length + 1) return;
    const routed = isRequest(req) ? routedRequestOf(req) : undefined;
    if (routed && res instanceof ServerResponse && !isOver(res))
      void answerOrBreakOff(routed, error, res);
  };
  proxyServer.on('error', answer);
}

const NO_BACKEND: Stop = { kind: 'refuse', reason: 'no_backend' };
const UPSTREAM_FAILED: Stop = { kind: 'refuse', reason: 'upstream_failed' };

async function answerOrBreakOff(
  routed: RoutedRequest,
  error: Error,
  res: ServerResponse,
): Promise<void> {
  try {
    await answerFailure(routed, error, res);
  } catch {
    // The user's `handler` or `on` has thrown.
    res.destroy();
  }
}

async function answerFailure(
  routed: RoutedRequest,
  error: Error,
  res: ServerResponse,
): Promise<void> {
  const origin = originOf(routed.route.backendUrl);
  if (error instanceof NotDispatched) {
    answerStop(routed, error.stop);
  } else if (res.headersSent) {
    res.destroy();
  } else if (origin !== undefined && isConnectError(error)) {
    // An agent of the user's: what ours would have found out while connecting.
    const next = await routed.connectFailed(origin, connectFailureOf(error));
    answerStop(routed, next.kind === 'backend' || next.kind === 'default' ? NO_BACKEND : next);
  } else {
    answerStop(routed, origin === undefined ? UPSTREAM_FAILED : await routed.brokenOff(origin));
  }
}

function isRequest(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null;
}
