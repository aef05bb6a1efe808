import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { settleRequest, type Answer } from './answer.ts';
import { putBefore, type Method, type Watcher } from './gated-response.ts';
import { haveHeader, headersOf, HeadView, type HeaderList } from './head-arguments.ts';
import { bytesOf, HeldAnswer, swallow } from './held-answer.ts';
import { Inspection, type InspectionOptions } from './inspection.ts';
import { relay } from './relay.ts';
import { StreamScan, type StreamScanOptions } from './stream-scan.ts';

/** What becomes of an answer whose head is about to be sent. */
export type HeadVerdict =
  | { readonly kind: 'pass' }
  /** Nothing is sent until the promise resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<Release> }
  /** Nothing is sent until enough of the body is there and has been read; `undefined`: it is too long, or does not come. */
  | {
      readonly kind: 'inspect';
      readonly of: InspectionOptions;
      readonly read: (body: Buffer | undefined) => Promise<Release>;
    }
  /** It is sent at once, and read beside; `undefined`: it is too long, or does not end. */
  | {
      readonly kind: 'observe';
      readonly of: InspectionOptions;
      readonly read: (body: Buffer | undefined) => void;
    }
  /** It is sent at once, and looked at event by event. */
  | { readonly kind: 'scan'; readonly by: StreamScanOptions };

/** What becomes of an answer that was held. */
export type Release =
  /** It goes to the client, with all that follows. */
  | { readonly kind: 'send' }
  /** The same, with other bytes in place of those that were held of the body. */
  | { readonly kind: 'rewrite'; readonly rewrite: (body: Buffer) => Buffer }
  /** It is dropped, and the client gets another one: of ours, or of another backend. */
  | { readonly kind: 'replace'; readonly by: Answer }
  | { readonly kind: 'relay'; readonly answer: IncomingMessage };

type State = 'waiting' | 'held' | 'inspecting' | 'observing' | 'scanning' | 'open' | 'dropped';

export const PASS: HeadVerdict = Object.freeze({ kind: 'pass' });
export const SEND: Release = Object.freeze({ kind: 'send' });

/**
 * Stands between an answer and its client: the first call that would send the head asks for a verdict.
 *
 * The methods of the response are wrapped once and stay wrapped, since a middleware mounted later may have
 * wrapped them again; after the release they pass everything on.
 */
export class ResponseGate implements Watcher {
  readonly #res: ServerResponse;
  readonly #originals: Readonly<Record<Method, (...args: never[]) => unknown>>;
  readonly #onHead: (head: HeadView) => HeadVerdict;
  readonly #trigger: string | undefined;
  /** What the app had set before there was an answer: CORS headers belong on our answers too. */
  readonly #headersBefore: OutgoingHttpHeaders;
  readonly sources: Set<Readable> = new Set();
  #state: State = 'waiting';
  #held: HeldAnswer | undefined;
  #inspection: Inspection | undefined;
  #scan: StreamScan | undefined;

  /** With a `trigger` only an answer that carries this header (lower case) is looked at. */
  constructor(
    res: ServerResponse,
    onHead: (head: HeadView) => HeadVerdict,
    trigger: string | undefined,
  ) {
    this.#res = res;
    this.#onHead = onHead;
    this.#trigger = trigger;
    this.#headersBefore = res.getHeaders();
    // oxlint-disable-next-line typescript/unbound-method -- they are called with the response as `this`
    const { writeHead, write, end, flushHeaders } = res;
    this.#originals = { writeHead, write, end, flushHeaders };
    putBefore(res, this);
  }

  /**
   * Sends an answer of our own in place of what was, or would have been, sent. Whatever writes to the response
   * afterwards is not heard. Wrappers that were put around ours are left out: one of them may hold half an answer.
   */
  replace(answer: Answer): void {
    const res = this.#res;
    if (!this.#startAnew()) return;
    settleRequest(res.req, res);
    this.#original('writeHead', [answer.status, answer.headers]);
    this.#state = 'open';
    this.#original('end', [answer.body]);
    this.#state = 'dropped';
  }

  /** Forgets what was to be the answer; `false` if the client has got a part of it. */
  #startAnew(): boolean {
    this.#drop();
    const res = this.#res;
    if (res.headersSent) return false;
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (const [name, value] of Object.entries(this.#headersBefore)) {
      if (value !== undefined) res.setHeader(name, value);
    }
    // The proxies have set that of the backend.
    res.statusMessage = '';
    return true;
  }

  /** From now on everything passes: what is sent next is an answer of ours, or of the app. */
  open(): void {
    if (this.#state === 'waiting') this.#state = 'open';
  }

  #drop(): void {
    this.#state = 'dropped';
    this.#held?.drop();
    this.#inspection?.drop();
    const res = this.#res;
    for (const source of this.sources) {
      source.unpipe(res);
      // The proxies break a response off with its source: ours has to be out first.
      if (res.destroyed) source.destroy();
      else res.once('close', () => source.destroy());
    }
  }

  called(method: Method, args: unknown[]): unknown {
    if (this.#state === 'open') return this.#original(method, args);
    if (this.#state === 'dropped') return this.#returned(method, swallow(args));
    if (this.#state === 'waiting') this.#ask(method, args);
    if (this.#state === 'scanning') return this.#scan?.called(method, args);
    if (this.#state === 'observing') this.#inspect(method, args);
    const holds = this.#state === 'held' || this.#state === 'inspecting';
    return holds ? this.#hold(method, args) : this.#original(method, args);
  }

  #ask(method: Method, args: unknown[]): void {
    const given = method === 'writeHead' ? headersOf(args) : undefined;
    const relevant = this.#trigger === undefined || this.#carries(this.#trigger, given);
    if (!relevant || statusOf(this.#res, method, args) < 200) {
      if (!relevant) this.#state = 'open';
      return;
    }
    const head = new HeadView(this.#res, method, args, given);
    const verdict = this.#onHead(head);
    if (verdict.kind === 'pass') {
      this.#state = 'open';
      return;
    }
    head.settle();
    if (verdict.kind === 'observe') {
      this.#state = 'observing';
      this.#inspection = new Inspection(verdict.of, (body) => {
        if (this.#state === 'observing') this.#state = 'open';
        verdict.read(body);
      });
      return;
    }
    if (verdict.kind === 'scan') {
      this.#state = 'scanning';
      this.#scan = new StreamScan(verdict.by, this.#res, (name, given) =>
        this.#original(name, given),
      );
      return;
    }
    this.#held = new HeldAnswer(this.#res);
    if (verdict.kind === 'hold') {
      this.#state = 'held';
      this.#releaseAfter(verdict.until);
    } else {
      this.#state = 'inspecting';
      this.#inspection = new Inspection(verdict.of, (body) => {
        this.#state = 'held';
        this.#releaseAfter(verdict.read(body));
      });
    }
  }

  #carries(name: string, given: HeaderList | undefined): boolean {
    return this.#res.hasHeader(name) || haveHeader(given, name);
  }

  #hold(method: Method, args: unknown[]): unknown {
    this.#held?.add(method, args);
    if (this.#state === 'inspecting') this.#inspect(method, args);
    return this.#returned(method, this.#state === 'inspecting');
  }

  #returned(method: Method, flowing: boolean): unknown {
    if (method === 'write') return flowing;
    return method === 'flushHeaders' ? undefined : this.#res;
  }

  #inspect(method: Method, args: unknown[]): void {
    const bytes = method === 'write' || method === 'end' ? bytesOf(args) : undefined;
    if (bytes) this.#inspection?.add(bytes);
    if (method === 'end') this.#inspection?.end();
  }

  #releaseAfter(until: Promise<Release>): void {
    until
      .then((release) => this.#release(release))
      // A held call that node:http refuses (a reason phrase with a line break) must not end the process.
      .catch(() => this.#res.destroy());
  }

  #release(release: Release): void {
    if (this.#state !== 'held') return;
    if (this.#res.destroyed) {
      this.#drop();
      if (release.kind === 'relay') release.answer.destroy();
      return;
    }
    if (release.kind === 'replace') {
      this.replace(release.by);
      return;
    }
    if (release.kind === 'relay') {
      const call = (method: Method, args: unknown[]): unknown => this.#original(method, args);
      if (this.#startAnew()) relay(release.answer, this.#res, call);
      return;
    }
    if (release.kind === 'rewrite') {
      this.#res.removeHeader('content-length');
      this.#held?.rewrite(release.rewrite);
    }
    this.#state = 'open';
    this.#held?.replay((method, args) => this.#original(method, args));
  }

  #original(method: Method, args: unknown[]): unknown {
    return Reflect.apply(this.#originals[method], this.#res, args);
  }
}

function statusOf(res: ServerResponse, method: Method, args: unknown[]): number {
  return method === 'writeHead' && typeof args[0] === 'number' ? args[0] : res.statusCode;
}
