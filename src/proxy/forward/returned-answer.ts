import { ServerResponse } from 'node:http';
import { isOver } from '../../http/routed-request.ts';
import { NO_REASON_PHRASE } from '../framing.ts';
import { SHORT } from '../one-write.ts';
import { answerHeaders, answerTrailers, type Parsed } from './heads.ts';

/** The answer of a backend on its way to the client. */
export class ReturnedAnswer {
  readonly #res: ServerResponse;
  /** The client can take more. */
  readonly #onDrain: () => void;
  /** `Content-Length`; not a number where there is none. */
  #length = Number.NaN;
  /** The body, if it came in one piece: written with its end it costs half. */
  #whole: Buffer | undefined;
  #flowing = false;
  #waits = false;
  #ended = false;

  constructor(res: ServerResponse, onDrain: () => void) {
    this.#res = res;
    this.#onDrain = onDrain;
  }

  /** The client has all of it, whatever the backend does next. */
  get ended(): boolean {
    return this.#ended;
  }

  /** RFC 8297: what a client may fetch meanwhile. */
  hint(link: Parsed): void {
    const res = this.#res;
    if (link === undefined || isOver(res) || res.req.httpVersionMinor === 0) return;
    try {
      res.writeEarlyHints({ link: [link].flat().flatMap((links) => links.split(/,\s*(?=<)/)) });
    } catch {
      // node:http takes not every link for one; it is only a hint.
    }
  }

  begin(
    status: number,
    reason: string,
    raw: readonly Buffer[],
    headers: Readonly<Record<string, Parsed>>,
  ): void {
    const res = this.#res;
    const given = answerHeaders(raw, headers['connection']);
    this.#length = Number(headers['content-length']);
    // node:http takes it from a backend, and throws where it is to be sent on.
    if (reason === '' || NO_REASON_PHRASE.test(reason)) res.writeHead(status, given);
    else res.writeHead(status, reason, given);
    // These have no body, whatever length undici waits for.
    if (status === 204 || status === 304) this.end();
    else if (/^text\/event-stream/i.test(String(headers['content-type'] ?? ''))) {
      // Not at once, since a short stream would need two packets for one.
      setImmediate(() => this.#flowing || isOver(res) || res.flushHeaders());
    }
  }

  /** `false`: the client cannot take more for now. */
  write(chunk: Buffer): boolean {
    this.#flowing = true;
    // The end is the next thing that undici tells, before anything else happens.
    if (chunk.length === this.#length) {
      this.#whole = chunk;
      return true;
    }
    if (this.#res.write(chunk)) return true;
    // One listener for all pauses: compression keeps them elsewhere, and does not remove them one by one.
    if (!this.#waits) this.#res.on('drain', this.#onDrain);
    this.#waits = true;
    return false;
  }

  end(trailers: readonly Buffer[] = []): void {
    if (this.#ended) return;
    this.#ended = true;
    if (trailers.length > 0) this.#res.addTrailers(answerTrailers(trailers));
    this.#endWith(this.#whole);
  }

  #endWith(body: Buffer | undefined): void {
    const res = this.#res;
    // Somebody who looks at what is written expects bytes.
    const isWatched = res.end !== ServerResponse.prototype.end;
    if (body === undefined || body.length > SHORT || isWatched) res.end(body);
    // A string leaves in one piece with the head, which costs 5 us less; Latin-1 keeps every byte.
    else res.end(body.toString('latin1'), 'latin1');
  }
}
