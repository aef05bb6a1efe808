import type { ServerResponse } from 'node:http';
import type { Method } from './gated-response.ts';

interface Call {
  readonly method: Method;
  readonly args: unknown[];
}

type Listener = (...args: unknown[]) => void;

/** What the app has given of an answer that the client does not get yet, and what it sees of the response meanwhile. */
export class HeldAnswer {
  readonly #res: ServerResponse;
  #calls: Call[] = [];
  readonly #drainListeners: Listener[] = [];
  #ended = false;
  #over = false;

  constructor(res: ServerResponse) {
    this.#res = res;
    // For the app the head is sent: an error handler must not write another one into this answer.
    Object.defineProperty(res, 'headersSent', { configurable: true, get: () => true });
    // Compression keeps listeners of "drain" for a stream of its own, which knows nothing of the hold.
    const on: unknown = Reflect.get(res, 'on');
    const listen = (event: string, listener: Listener): unknown => {
      if (event === 'drain' && !this.#over) this.#drainListeners.push(listener);
      return Reflect.apply(on as Listener, res, [event, listener]);
    };
    Object.assign(res, { on: listen });
  }

  add(method: Method, args: unknown[]): void {
    if (this.#ended) {
      swallow(args);
      return;
    }
    // A second head is the afterthought of an error handler: what is held has a head already.
    if (method !== 'writeHead' || this.#calls.length === 0) this.#calls.push({ method, args });
    if (method === 'end') this.#ended = true;
  }

  /** Puts other bytes in place of those that were held of the body; who has given them is called back. */
  rewrite(change: (body: Buffer) => Buffer): void {
    const parts = this.#calls.flatMap(({ method, args }) => {
      const bytes = method === 'write' || method === 'end' ? bytesOf(args) : undefined;
      return bytes ? [bytes] : [];
    });
    const heads = this.#calls.filter(({ method }) => method !== 'write' && method !== 'end');
    for (const { method, args } of this.#calls) if (method === 'write') swallow(args);
    const end = this.#calls.filter(({ method }) => method === 'end');
    const body: Call = { method: 'write', args: [change(Buffer.concat(parts))] };
    this.#calls = [
      ...heads,
      body,
      ...end.map(({ method, args }) => ({ method, args: callbacks(args) })),
    ];
  }

  /** Makes the calls that were held; what comes after them is not held. */
  replay(call: (method: Method, args: unknown[]) => unknown): void {
    this.#giveBack();
    let flowing: unknown;
    for (const { method, args } of this.#calls.splice(0)) {
      const result = call(method, args);
      if (method === 'write') flowing = result;
    }
    // Whoever was told to wait while the answer was held is still waiting.
    if (flowing === true && !this.#ended) this.#emitDrain();
  }

  /** Forgets the calls; whoever waits for one of them is called back. */
  drop(): void {
    this.#giveBack();
    for (const { args } of this.#calls.splice(0)) swallow(args);
  }

  #giveBack(): void {
    this.#over = true;
    Reflect.deleteProperty(this.#res, 'headersSent');
  }

  #emitDrain(): void {
    const told = this.#res.rawListeners('drain');
    this.#res.emit('drain');
    for (const listener of this.#drainListeners) {
      if (!told.includes(listener)) Reflect.apply(listener, this.#res, []);
    }
  }
}

/** A call that nobody hears: its caller is called back all the same, and need not wait. */
export function swallow(args: unknown[]): true {
  const callback = args.findLast((arg) => typeof arg === 'function');
  if (typeof callback === 'function') process.nextTick(callback);
  return true;
}

/** What a call of `write` or `end` sends. */
export function bytesOf([chunk, encoding]: readonly unknown[]): Buffer | undefined {
  if (typeof chunk === 'string') return Buffer.from(chunk, encodingOf(encoding));
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : undefined;
}

function encodingOf(given: unknown): BufferEncoding {
  return typeof given === 'string' && Buffer.isEncoding(given) ? given : 'utf8';
}

function callbacks(args: readonly unknown[]): unknown[] {
  return args.filter((arg) => typeof arg === 'function');
}
