import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { isOver, type RoutedRequest } from '../../http/routed-request.ts';
import { SESSION_HEADER } from '../../protocol/session-id.ts';
import type { Destination, Stop } from '../../routing/route.ts';
import { BODY_IS_GONE } from '../consumed-body.ts';
import { connectFailureOf } from '../dispatch.ts';
import { NO_REASON_PHRASE } from '../framing.ts';
import { answerHeaders, answerTrailers, requestHeaders, type Parsed } from './heads.ts';
import type { Lane, LaneUser } from './lane.ts';
import type { ForwarderSettings } from './options.ts';
import { bodyOf, GONE, type Body } from './request-body.ts';
import type { Upstream, Upstreams } from './upstreams.ts';

type Controller = Dispatcher.DispatchController;

/** One request on its way to a backend, and the answer on its way back. */
export class Forwarding implements LaneUser, Dispatcher.DispatchHandler {
  readonly #req: IncomingMessage;
  readonly res: ServerResponse;
  /** `undefined`: the middleware has not seen it. */
  readonly #routed: RoutedRequest | undefined;
  readonly #path: string;
  readonly #settings: ForwarderSettings;
  readonly #upstreams: Upstreams;
  readonly #fail: (error: unknown) => void;
  #upstream: Upstream | undefined;
  #lane: Lane | undefined;
  #body: Body | undefined;
  /** From when on bytes may have been sent. */
  #controller: Controller | undefined;
  /** The answer has a body. */
  #flowing = false;
  /** It has been slower to take than to give. */
  #waits = false;
  #ended = false;
  #triedAgain = false;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    given: {
      readonly routed: RoutedRequest | undefined;
      readonly path: string;
      readonly settings: ForwarderSettings;
      readonly upstreams: Upstreams;
      readonly fail: (error: unknown) => void;
    },
  ) {
    this.#req = req;
    this.res = res;
    this.#routed = given.routed;
    this.#path = given.path;
    this.#settings = given.settings;
    this.#upstreams = given.upstreams;
    this.#fail = given.fail;
    res.once('close', () => this.#left());
  }

  /** Sends the request to the backend with this URL. */
  send(url: string): void {
    const { changeOrigin, tls } = this.#settings;
    const upstream = this.#upstreams.to(url);
    const path = upstream.prefix + this.#path;
    const secure = tls?.rejectUnauthorized !== false;
    this.#upstream = upstream;
    this.#routed?.sent(url);
    this.#routed?.sentAs({ path, secure, changeOrigin, tls });
    // Somebody listens to the body, and it would be gone a moment later.
    if (this.#body === undefined && this.#req.readableFlowing) this.#body = bodyOf(this.#req);
    // When all that came with the head has been parsed: then the body is there, nearly always.
    queueMicrotask(() => this.#dispatch(upstream, path));
  }

  #dispatch(upstream: Upstream, path: string): void {
    if (isOver(this.res)) return;
    const { changeOrigin, xfwd, headersTimeout } = this.#settings;
    const host = changeOrigin ? upstream.host : undefined;
    try {
      this.#body = this.#body === undefined ? bodyOf(this.#req) : this.#body;
      if (this.#body === GONE) {
        this.#tellThatBodyIsGone();
        return;
      }
      this.#callSessionByItsName();
      this.#lane = this.#triedAgain ? upstream.takeNew() : upstream.take();
      this.#lane.send(
        {
          path,
          method: this.#req.method as Dispatcher.HttpMethod,
          headers: requestHeaders(this.#req, host, xfwd),
          body: this.#body,
          headersTimeout,
        },
        this,
      );
    } catch (error) {
      this.#release(false);
      this.#fail(error);
    }
  }

  connected(): void {
    if (this.#upstream) this.#routed?.reached(this.#upstream.origin);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (isOver(this.res)) controller.abort(new Error('the client has left'));
  }

  onResponseStart(
    controller: Controller,
    status: number,
    headers: Readonly<Record<string, Parsed>>,
    reason = '',
  ): void {
    const res = this.res;
    const raw = controller.rawHeaders as Buffer[];
    if (status < 200) {
      if (status === 103 && this.#req.httpVersionMinor > 0) sendHints(res, headers['link']);
      return;
    }
    // node:http takes it from a backend, and throws where it is to be sent on.
    const phrase = NO_REASON_PHRASE.test(reason) ? '' : reason;
    const given = answerHeaders(raw, headers['connection']);
    if (phrase === '') res.writeHead(status, given);
    else res.writeHead(status, phrase, given);
    // These have no body, whatever length undici waits for.
    if (status === 204 || status === 304) this.#end();
    else if (/^text\/event-stream/i.test(String(headers['content-type'] ?? ''))) {
      // Not at once, since a short stream would need two packets for one.
      setImmediate(() => this.#flowing || isOver(res) || res.flushHeaders());
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#flowing = true;
    if (this.res.write(chunk)) return;
    this.#lane?.pause();
    // One for all pauses: compression keeps listeners of its own, which are not removed one by one.
    if (!this.#waits) this.res.on('drain', () => this.#lane?.resume());
    this.#waits = true;
  }

  onResponseEnd(controller: Controller): void {
    if (this.#lane?.broken) {
      this.onResponseError(controller, new Error('the connection was reset'));
      return;
    }
    const trailers = controller.rawTrailers as Buffer[] | null;
    if (trailers?.length && !this.#ended) this.res.addTrailers(answerTrailers(trailers));
    this.#release(true);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.res.end();
    this.#readToTheEnd();
  }

  onResponseError(_controller: Controller, error: Error): void {
    const unsent = this.#controller === undefined;
    const unconnected = unsent && this.#lane?.connectError === error;
    this.#release(false);
    if (isOver(this.res) || this.#ended) return;
    if (unsent && Reflect.get(error, 'code') === 'UND_ERR_INVALID_ARG') {
      // A header that the app has set.
      this.#fail(error);
    } else if (unsent && !unconnected && !this.#triedAgain) {
      // A free connection was reset at that moment.
      this.#triedAgain = true;
      if (this.#upstream) this.#dispatch(this.#upstream, this.#upstream.prefix + this.#path);
    } else {
      this.#failed(error, unconnected).catch(this.#fail);
    }
  }

  async #failed(error: Error, unsent: boolean): Promise<void> {
    const { origin = '' } = this.#upstream ?? {};
    if (!this.#routed) {
      if (this.res.headersSent) this.res.destroy();
      else this.#fail(error);
    } else if (unsent) {
      this.#goOn(await this.#routed.connectFailed(origin, connectFailureOf(error)));
    } else if (this.res.headersSent) {
      // A backend that breaks off must not look like one that has finished.
      const told = this.#routed.brokenOff(origin);
      this.res.destroy();
      await told;
    } else if (isTimeout(error)) {
      this.#routed.refuse('upstream_timeout');
    } else {
      this.#stop(await this.#routed.brokenOff(origin));
    }
  }

  /** No byte of it has been sent. */
  #goOn(next: Destination): void {
    // A client that has left tells nothing of the backend.
    if (isOver(this.res)) return;
    if (next.kind === 'backend') this.send(next.url);
    else this.#stop(next.kind === 'default' ? { kind: 'refuse', reason: 'no_backend' } : next);
  }

  #stop(stop: Stop): void {
    if (stop.kind === 'deleted') this.#routed?.confirmDeleted();
    else this.#routed?.refuse(stop.reason);
  }

  /** Nothing was sent. It is the app that has to be told, and the client must not wait for it. */
  #tellThatBodyIsGone(): void {
    if (!this.#routed) {
      this.#fail(new Error(BODY_IS_GONE));
      return;
    }
    process.emitWarning(`sessionForwarder: ${BODY_IS_GONE}`);
    this.#routed.refuse('upstream_failed');
  }

  /** The session may have been recovered meanwhile: its backend has another name for it. */
  #callSessionByItsName(): void {
    const { route } = this.#routed ?? {};
    if (route?.kind === 'pinned' && route.backendSession !== undefined)
      this.#req.headers[SESSION_HEADER] = route.backendSession;
  }

  /** The client has its answer, or has left. */
  #left(): void {
    if (this.#lane) this.#controller?.abort(new Error('the client has left'));
    this.#readToTheEnd();
  }

  #release(reusable: boolean): void {
    const lane = this.#lane;
    this.#lane = undefined;
    if (lane) this.#upstream?.giveBack(lane, reusable);
  }

  /** The rest of a body that the backend did not wait for stands before the next request of the client. */
  #readToTheEnd(): void {
    const req = this.#req;
    if (!(this.#body instanceof Readable) || req.complete || req.destroyed) return;
    req.unpipe();
    req.resume();
  }
}

function isTimeout(error: Error): boolean {
  return Reflect.get(error, 'code') === 'UND_ERR_HEADERS_TIMEOUT';
}

/** RFC 8297: what a client may fetch meanwhile. */
function sendHints(res: ServerResponse, link: Parsed): void {
  if (link === undefined || isOver(res)) return;
  try {
    res.writeEarlyHints({ link: [link].flat().flatMap((links) => links.split(/,\s*(?=<)/)) });
  } catch {
    // node:http takes not every link for one; it is only a hint.
  }
}
