import type { ServerResponse } from 'node:http';

export interface WatchersOptions {
  /** What they are shown; asked only while somebody watches. */
  readonly snapshot: () => unknown;
  /** Between two snapshots, in ms. @default 1000 */
  readonly interval?: number;
}

/** Who watches more than these is asked to come again. */
export const MOST_WATCHERS = 100;
/** Seconds after which a watcher has to come again, and to be let in again. */
const LONGEST_WATCH = 15 * 60;
/** Snapshots that a watcher may not take before it is given up. */
const MOST_SKIPPED = 30;

const HEAD = {
  'Content-Type': 'text/event-stream',
  // What compresses, or gathers, keeps events back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  // The connection serves nothing else: a server that is closed need not wait for it.
  Connection: 'close',
};

interface Watcher {
  readonly res: ServerResponse;
  /** In snapshots, whether it has taken them or not. */
  age: number;
  skipped: number;
}

/** The event streams of the page: one timer for all of them, and none while nobody watches. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #snapshot: () => unknown;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ snapshot, interval = 1000 }: WatchersOptions) {
    this.#snapshot = snapshot;
    this.#interval = interval;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** `false`: there are enough of them, there are to be none any more, or nobody is there to watch. */
  add(res: ServerResponse): boolean {
    if (this.#closed || this.#watchers.size >= MOST_WATCHERS) return false;
    // The client has left, or has not yet got the answer before this one: no "close" would tell when it leaves.
    if (res.destroyed || !res.socket) return false;
    const watcher: Watcher = { res, age: 0, skipped: 0 };
    this.#watchers.add(watcher);
    res.once('close', () => this.#remove(watcher));
    res.writeHead(200, HEAD);
    // How soon a browser comes back, in ms.
    res.write('retry: 1000\n\n');
    show(watcher, this.#event());
    this.#timer ??= setInterval(() => this.tick(), this.#interval).unref();
    return true;
  }

  /** Shows how things are now. */
  tick(): void {
    if (this.#watchers.size === 0) return;
    const event = this.#event();
    for (const watcher of this.#watchers) show(watcher, event);
  }

  close(): void {
    this.#closed = true;
    for (const { res } of this.#watchers) sendAway(res);
  }

  #event(): string {
    return `data: ${JSON.stringify(this.#snapshot())}\n\n`;
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** One that is slow misses snapshots: what it gets next is newer. */
function show(watcher: Watcher, event: string): void {
  const { res } = watcher;
  watcher.age += 1;
  if (watcher.age > LONGEST_WATCH) {
    // One that has not even taken the end is broken off.
    if (res.writableEnded) res.destroy();
    else sendAway(res);
    return;
  }
  if (res.writableNeedDrain) {
    watcher.skipped += 1;
    if (watcher.skipped > MOST_SKIPPED) res.destroy();
    return;
  }
  watcher.skipped = 0;
  res.write(event);
}

/** Nobody waits for one that does not take what it was sent. */
function sendAway(res: ServerResponse): void {
  if (res.writableNeedDrain) res.destroy();
  else res.end();
}
