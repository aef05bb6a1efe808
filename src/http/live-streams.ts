import type { ServerResponse } from 'node:http';
import type { Lookup } from '../store/session-directory.ts';
import type { Awaitable } from '../store/session-store.ts';

/** Timers run at once with anything longer (ms). */
const LONGEST_INTERVAL = 2 ** 31 - 1;

/**
 * The event streams that this process has open, by session. They are kept apart from the store: a stream is
 * where it is, a record is anywhere.
 */
export class LiveStreams {
  readonly #streams = new Map<string, Set<ServerResponse>>();
  readonly #lookup: (key: string, isUse: boolean) => Awaitable<Lookup>;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;

  /** Each session that has a stream open is looked up every `interval` ms, which keeps it alive. */
  constructor(lookup: (key: string, isUse: boolean) => Awaitable<Lookup>, interval: number) {
    this.#lookup = lookup;
    this.#interval = Math.min(interval, LONGEST_INTERVAL);
  }

  get size(): number {
    let size = 0;
    for (const streams of this.#streams.values()) size += streams.size;
    return size;
  }

  add(key: string, res: ServerResponse): void {
    // The client may have left while its answer was held: no "close" will come any more.
    if (res.destroyed) return;
    const streams = this.#streams.get(key) ?? new Set();
    streams.add(res);
    this.#streams.set(key, streams);
    res.once('close', () => this.#remove(key, res));
    this.#timer ??= setInterval(() => this.#tick(), this.#interval).unref();
    // The session may have ended while the backend took its time.
    this.#look(key, false);
  }

  /** Breaks off the streams of a session that is over. */
  end(key: string): void {
    for (const res of this.#streams.get(key) ?? []) res.destroy();
  }

  close(): void {
    for (const key of this.#streams.keys()) this.end(key);
  }

  #remove(key: string, res: ServerResponse): void {
    const streams = this.#streams.get(key);
    streams?.delete(res);
    if (streams?.size === 0) this.#streams.delete(key);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const key of this.#streams.keys()) this.#look(key, true);
  }

  /** Not every ending is heard of: some are only found. What cannot be told is none. */
  #look(key: string, isUse: boolean): void {
    try {
      const known = this.#lookup(key, isUse);
      if (known instanceof Promise) known.then((late) => this.#found(key, late)).catch(() => {});
      else this.#found(key, known);
    } catch {}
  }

  #found(key: string, { kind }: Lookup): void {
    if (kind === 'ended' || kind === 'unknown') this.end(key);
  }
}
