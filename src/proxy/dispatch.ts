import type { ServerResponse } from 'node:http';
import type { RoutedRequest } from '../http/routed-request.ts';
import type { ConnectFailure } from '../routing/losses.ts';
import type { Stop } from '../routing/route.ts';

/** One attempt to send a request to a backend. */
export interface Dispatch {
  /** `undefined`: the middleware has not seen the request. */
  readonly routed: RoutedRequest | undefined;
  /** Origin of the target the proxy has been told. */
  readonly origin: string | undefined;
  /** The answer that the client waits for. */
  readonly res?: ServerResponse;
  /** Path and query as they are to reach the backend; `undefined`: as the proxy makes them. */
  readonly path: string | undefined;
}

/** No connection was made, no byte was sent, and this is what the client is told. */
export class NotDispatched extends Error {
  override readonly name = 'NotDispatched';
  readonly stop: Stop;

  constructor(stop: Stop, cause: unknown) {
    super('no backend could be reached', { cause });
    this.stop = stop;
  }
}

const REFUSED = new Set(['ECONNREFUSED', 'ENOENT']);
const UNREACHABLE = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** How a connection failed; anything but a refusal may be a passing fault of the network. */
export function connectFailureOf(error: unknown): ConnectFailure {
  return REFUSED.has(memberOf(error, 'code')) ? 'refused' : 'unreachable';
}

/** Whether the error says that there was no connection at all. */
export function isConnectError(error: unknown): boolean {
  const code = memberOf(error, 'code');
  const syscall = memberOf(error, 'syscall');
  if (REFUSED.has(code) || syscall === 'connect') return true;
  return UNREACHABLE.has(code) && syscall !== 'read' && syscall !== 'write';
}

export function isReset(error: unknown): boolean {
  return memberOf(error, 'code') === 'ECONNRESET';
}

function memberOf(error: unknown, name: 'code' | 'syscall'): string {
  return typeof error === 'object' && error !== null ? String(Reflect.get(error, name)) : '';
}

// Both proxies emit "start" and make the outgoing request in one synchronous step: what "start" leaves here is
// what the agent finds.
let started: Dispatch | undefined;

export function startDispatch(dispatch: Dispatch): void {
  started = dispatch;
  // A request that node:http refuses to make never comes: its path must not be the next one's.
  queueMicrotask(forget);
}

export function takeDispatch(): Dispatch | undefined {
  const dispatch = started;
  started = undefined;
  return dispatch;
}

function forget(): void {
  started = undefined;
}
