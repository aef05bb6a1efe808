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
type WatchedResponse = ServerResponse & { [WATCHER]?: Watcher };

function watched(method: Method): (this: WatchedResponse, ...args: unknown[]) => unknown {
  return function (...args) {
    return this[WATCHER]?.called(method, args);
  };
}

// One set for all responses: functions of their own would be most of what a gate costs.
const METHODS: Readonly<Record<Method, unknown>> = {
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
  Object.assign(res, { [WATCHER]: watcher }, METHODS);
  res.on('pipe', onPipe);
  res.on('unpipe', onUnpipe);
}
