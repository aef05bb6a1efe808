import type { ServerResponse } from 'node:http';
import { endOfComments, firstEvent } from '../protocol/event-stream.ts';
import type { Method } from './gated-response.ts';
import { bytesOf, swallow } from './held-answer.ts';

export interface StreamScanOptions {
  /** A longer event is not waited for, and nothing after it is looked at. */
  readonly maxBytes: number;
  /**
   * Told of the data of each event before the client gets it. A promise holds the stream: `true` lets it go on, and
   * nothing more is looked at; `false` breaks it off.
   */
  readonly onEvent: (data: string) => Promise<boolean> | undefined;
  readonly onTooLong: () => void;
}

/** Makes a call of the response itself, past all that stands before it. */
type Call = (method: Method, args: unknown[]) => unknown;

/** Looks at an event stream while it passes, event by event. */
export class StreamScan {
  readonly #options: StreamScanOptions;
  readonly #res: ServerResponse;
  readonly #call: Call;
  /** Of an event that is not complete, byte by byte. */
  #rest = '';
  #held: { readonly method: Method; readonly args: unknown[] }[] | undefined;
  #done = false;

  constructor(options: StreamScanOptions, res: ServerResponse, call: Call) {
    this.#options = options;
    this.#res = res;
    this.#call = call;
  }

  called(method: Method, args: unknown[]): unknown {
    if (this.#done || (method !== 'write' && method !== 'end')) return this.#call(method, args);
    if (this.#held) return this.#keep(method, args);
    this.#rest += bytesOf(args)?.toString('latin1') ?? '';
    const flowing = this.#pass();
    if (method === 'write') {
      swallow(args);
      return flowing;
    }
    const callbacks = args.filter((arg) => typeof arg === 'function');
    if (this.#isHeld()) return this.#keep(method, callbacks);
    this.#flush();
    return this.#call(method, callbacks);
  }

  #isHeld(): boolean {
    return this.#held !== undefined && !this.#done;
  }

  #keep(method: Method, args: unknown[]): unknown {
    this.#held?.push({ method, args });
    return method === 'write' ? false : this.#res;
  }

  /** Passes on what is complete; `false`: the client does not keep up, or the stream is held. */
  #pass(): boolean {
    let flowing = true;
    for (let event = firstEvent(this.#rest); event; event = firstEvent(this.#rest)) {
      const decided = this.#options.onEvent(Buffer.from(event.data, 'latin1').toString());
      if (decided) {
        this.#hold(decided);
        return false;
      }
      flowing = this.#send(this.#rest.slice(0, event.end));
      this.#rest = this.#rest.slice(event.end);
    }
    const past = endOfComments(this.#rest);
    if (past > 0) {
      flowing = this.#send(this.#rest.slice(0, past));
      this.#rest = this.#rest.slice(past);
    }
    if (this.#rest.length <= this.#options.maxBytes) return flowing;
    this.#options.onTooLong();
    this.#done = true;
    return this.#flush();
  }

  #hold(decided: Promise<boolean>): void {
    this.#held = [];
    decided.then(
      (goOn) => (goOn ? this.#goOn() : this.#res.destroy()),
      () => this.#res.destroy(),
    );
  }

  #goOn(): void {
    this.#done = true;
    let flowing: unknown = this.#flush();
    for (const { method, args } of this.#held?.splice(0) ?? []) {
      const result = this.#call(method, args);
      if (method === 'write') flowing = result;
    }
    if (flowing === true) this.#res.emit('drain');
  }

  #flush(): boolean {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' || this.#send(rest);
  }

  #send(latin1: string): boolean {
    return this.#call('write', [Buffer.from(latin1, 'latin1')]) !== false;
  }
}
