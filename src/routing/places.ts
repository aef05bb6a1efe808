import type { Backends } from '../backends/backends.ts';
import { originOf } from '../backends/origin.ts';
import type { Outages, Reachability } from '../backends/outages.ts';
import { BACKEND_ID, BACKEND_URL, type SessionRecord } from '../store/record.ts';

export interface PlacesOptions {
  /** `undefined`: the proxy's own target. */
  readonly backends: Backends | undefined;
  /** Of places that no list of backends names. */
  readonly outages: Outages;
  /** Milliseconds a backend may be out of reach before its sessions are given up. */
  readonly lostAfter: number;
}

/** The places that requests are sent to, whether a list of backends names them or not. */
export class Places {
  readonly backends: Backends | undefined;
  readonly #outages: Outages;
  readonly #lostAfter: number;

  constructor({ backends, outages, lostAfter }: PlacesOptions) {
    this.backends = backends;
    this.#outages = outages;
    this.#lostAfter = lostAfter;
  }

  /**
   * The backend of a session. With a list a record names one of it, whatever else it says (D8: `undefined`);
   * otherwise its URL is believed as it stands.
   */
  ownerOf(record: SessionRecord): { readonly url: string | undefined } | undefined {
    const url = record[BACKEND_URL];
    const origin = originOf(url);
    if (origin === undefined || !this.backends) return { url: origin && url };
    return this.backends.find(origin, record[BACKEND_ID]);
  }

  /** What is known of a place. */
  healthOf(origin: string): Reachability {
    return this.backends?.find(origin)?.health ?? this.#outages.of(origin);
  }

  /** Whether it has been out of reach for so long that its sessions are given up. */
  isGivenUp(origin: string): boolean {
    return this.healthOf(origin).outFor >= this.#lostAfter;
  }
}
