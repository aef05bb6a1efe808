import type { ConnectionOptions } from 'node:tls';
import { originOf } from '../../backends/origin.ts';
import type { Connections } from '../../http/routed-request.ts';
import { Lane } from './lane.ts';

/** A backend, as it stands in a record, and the connections to it. As many as are needed: none waits for another. */
export class Upstream {
  readonly url: string;
  readonly origin: string;
  /** `Host` of the backend. */
  readonly host: string;
  /** The path that is put before every path: a record of another gateway may have one. */
  readonly prefix: string;
  readonly #tls: ConnectionOptions | undefined;
  readonly #onEmpty: () => void;
  readonly #inUse = new Set<Lane>();
  /** The one that was used last comes last, and is taken first: the others may go. */
  readonly #idle: Lane[] = [];

  constructor(url: string, tls: ConnectionOptions | undefined, onEmpty: () => void) {
    const { origin, host, pathname } = new URL(url);
    this.url = url;
    this.origin = origin;
    this.host = host;
    this.prefix = pathname.replace(/\/$/, '');
    this.#tls = tls;
    this.#onEmpty = onEmpty;
  }

  /** One that is free or, if there is none, a new one. */
  take(): Lane {
    return this.#use(this.#idle.pop() ?? this.#newLane());
  }

  takeNew(): Lane {
    return this.#use(this.#newLane());
  }

  #newLane(): Lane {
    return new Lane(this.origin, this.#tls, (closed) => this.#remove(closed));
  }

  #use(lane: Lane): Lane {
    this.#inUse.add(lane);
    return lane;
  }

  /** The request on it is over; `reusable` unless it has failed. */
  giveBack(lane: Lane, reusable: boolean): void {
    lane.free();
    this.#inUse.delete(lane);
    if (reusable && !lane.left) {
      this.#idle.push(lane);
      return;
    }
    lane.close();
    this.tellIfEmpty();
  }

  /** Closes the connections that are free, and the others when their requests are over. */
  leave(): void {
    for (const lane of this.#inUse) lane.left = true;
    for (const lane of this.#idle.splice(0)) lane.close();
    this.tellIfEmpty();
  }

  destroy(): void {
    for (const lane of this.#inUse) lane.close();
    this.leave();
  }

  #remove(lane: Lane): void {
    const at = this.#idle.indexOf(lane);
    if (at === -1) return;
    this.#idle.splice(at, 1);
    lane.close();
    this.tellIfEmpty();
  }

  /** It need not be remembered where there is no connection to it. */
  tellIfEmpty(): void {
    if (this.#inUse.size + this.#idle.length === 0) this.#onEmpty();
  }
}

/** All backends that requests go to at the moment. */
export class Upstreams implements Connections {
  readonly #tls: ConnectionOptions | undefined;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(tls: ConnectionOptions | undefined) {
    this.#tls = tls;
  }

  /** That of an absolute http(s) URL. */
  to(url: string): Upstream {
    const known = this.#upstreams.get(url);
    if (known) return known;
    const upstream = new Upstream(url, this.#tls, () => this.#upstreams.delete(url));
    this.#upstreams.set(url, upstream);
    return upstream;
  }

  leave(origin: string): void {
    for (const [url, upstream] of this.#upstreams) if (originOf(url) === origin) upstream.leave();
  }

  destroy(): void {
    for (const upstream of this.#upstreams.values()) upstream.destroy();
  }
}
