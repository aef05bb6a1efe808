import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** What sends an answer. */
export type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders';

/** Who is asked in place of a response's own methods. */
export interface Watcher {
  /** What is piped into the response. */
  readonly sources: Set<Readable>;
  called(method: Method, args: unknown[]): unknown;
}

const WATCHER = Symbol('watcher');
type Watched = (this: WatchedResponse, ...args: unknown[]) => unknown;
type WatchedResponse = Omit<ServerResponse, Method> &
  Record<Method, Watched> & { [WATCHER]?: Watcher };

function watched(method: Method): Watched {
  return function (...args) {
    return this[WATCHER]?.called(method, args);
  };
}

// One set for all responses: functions of their own would be most of what a gate costs.
const METHODS: Readonly<Record<Method, Watched>> = {
  writeHead: watched('writeHead'),
  write: watched('write'),
  end: watched('end'),
  flushHeaders: watched('flushHeaders'),
};

function onPipe(this: WatchedResponse, source: Readable): void {
  this[WATCHER]?.sources.add(source);
}

function onUnpipe(this: WatchedResponse, source: Readable): void {
  this[WATCHER]?.sources.delete(source);
}

/** From now on the watcher is called in place of the methods; a response has one at most. */
export function putBefore(res: ServerResponse, watcher: Watcher): void {
  const gated = res as unknown as WatchedResponse;
  // One by one: Object.assign costs as much as all else that is done for a request of a session.
  gated[WATCHER] = watcher;
  gated.writeHead = METHODS.writeHead;
  gated.write = METHODS.write;
  gated.end = METHODS.end;
  gated.flushHeaders = METHODS.flushHeaders;
  res.on('pipe', onPipe);
  res.on('unpipe', onUnpipe);
}
