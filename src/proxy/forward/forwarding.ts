import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { isOver, type RoutedRequest } from '../../http/routed-request.ts';
import type { Destination, Stop } from '../../routing/route.ts';
import { answerStop } from '../answer-stop.ts';
import { BODY_IS_GONE } from '../consumed-body.ts';
import { connectFailureOf } from '../dispatch.ts';
import { requestHeaders, type Parsed } from './heads.ts';
import type { Lane, LaneUser } from './lane.ts';
import type { ForwarderSettings } from './options.ts';
import { bodyOf, GONE, type Body } from './request-body.ts';
import { ReturnedAnswer } from './returned-answer.ts';
import type { Upstream, Upstreams } from './upstreams.ts';

type Controller = Dispatcher.DispatchController;

const NO_BACKEND: Stop = { kind: 'refuse', reason: 'no_backend' };

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
  readonly #answer: ReturnedAnswer;
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
    this.#answer = new ReturnedAnswer(res, () => this.#lane?.resume());
    res.on('close', () => this.#left());
  }

  /** Sends the request to the backend with this URL. */
  send(url: string): void {
    const { changeOrigin, tls } = this.#settings;
    const upstream = this.#upstreams.to(url);
    const path = upstream.prefix + this.#path;
    const secure = tls?.rejectUnauthorized !== false;
    this.#routed?.sent(url);
    this.#routed?.sentAs({ path, secure, changeOrigin, tls });
    // Somebody listens to the body, and it would be gone a moment later.
    if (this.#body === undefined && this.#req.readableFlowing) this.#body = bodyOf(this.#req);
    // When all that came with the head has been parsed: then the body is there, nearly always.
    queueMicrotask(() => this.#dispatch(url, path));
  }

  #dispatch(url: string, path: string): void {
    // It may have been forgotten meanwhile, with its last connection.
    const upstream = this.#upstreams.to(url);
    this.#upstream = upstream;
    if (isOver(this.res)) {
      upstream.tellIfEmpty();
      return;
    }
    const { changeOrigin, xfwd, headersTimeout } = this.#settings;
    const host = changeOrigin ? upstream.host : undefined;
    try {
      this.#body = this.#body === undefined ? bodyOf(this.#req) : this.#body;
      if (this.#body === GONE) {
        upstream.tellIfEmpty();
        this.#tellThatBodyIsGone();
        return;
      }
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
    if (status === 103) this.#answer.hint(headers['link']);
    if (status < 200) return;
    this.#routed?.answering(status, headers);
    this.#answer.begin(status, reason, controller.rawHeaders as Buffer[], headers);
    if (this.#answer.ended) this.#readToTheEnd();
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (!this.#answer.write(chunk)) this.#lane?.pause();
  }

  onResponseEnd(controller: Controller): void {
    if (this.#lane?.broken) {
      this.onResponseError(controller, new Error('the connection was reset'));
      return;
    }
    this.#release(true);
    this.#answer.end((controller.rawTrailers ?? []) as Buffer[]);
    this.#readToTheEnd();
  }

  onResponseError(_controller: Controller, error: Error): void {
    const { url = '', prefix = '' } = this.#upstream ?? {};
    const unsent = this.#controller === undefined;
    const unconnected = unsent && this.#lane?.connectError === error;
    this.#release(false);
    if (isOver(this.res) || this.#answer.ended) return;
    if (unsent && Reflect.get(error, 'code') === 'UND_ERR_INVALID_ARG') {
      // A header that the app has set.
      this.#fail(error);
    } else if (unsent && !unconnected && !this.#triedAgain) {
      // A free connection was reset at that moment.
      this.#triedAgain = true;
      this.#dispatch(url, prefix + this.#path);
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
      answerStop(this.#routed, await this.#routed.brokenOff(origin));
    }
  }

  /** No byte of it has been sent. */
  #goOn(next: Destination): void {
    // A client that has left tells nothing of the backend.
    if (isOver(this.res)) return;
    if (next.kind === 'backend') this.send(next.url);
    else answerStop(this.#routed, next.kind === 'default' ? NO_BACKEND : next);
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
