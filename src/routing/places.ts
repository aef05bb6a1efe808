import type { Backends } from '../backends/backends.ts';
import { originOf } from '../backends/origin.ts';
import type { Outages, Reachability } from '../backends/outages.ts';
import { BACKEND_ID, BACKEND_SESSION, BACKEND_URL, type SessionRecord } from '../store/record.ts';
import { unseal } from '../store/seal.ts';
import type { NamedSession, PinnedRoute } from './route.ts';

export interface PlacesOptions {
  /** `undefined`: the proxy's own target. */
  readonly backends: Backends | undefined;
  /** The origin of this process, where it is one of the places; `undefined`: it is a gateway in front of them. */
  readonly self?: (() => string) | undefined;
  /** What is in the store was signed by one of the places. */
  readonly signed?: boolean;
  /** Of places that no list of backends names. */
  readonly outages: Outages;
  /** Milliseconds a backend may be out of reach before its sessions are given up. */
  readonly lostAfter: number;
}

/** The places that requests are sent to, whether a list of backends names them or not. */
export class Places {
  readonly backends: Backends | undefined;
  readonly #self: (() => string) | undefined;
  readonly #signed: boolean;
  readonly #outages: Outages;
  readonly #lostAfter: number;

  constructor({ backends, self, signed = false, outages, lostAfter }: PlacesOptions) {
    this.backends = backends;
    this.#self = self;
    this.#signed = signed;
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
    if (this.lists(origin)) return this.backends.find(origin, record[BACKEND_ID]);
    // A replica opens sessions as soon as it is asked, however late it comes into the lists of the others.
    const { self } = this;
    const believed = origin === self || (self !== undefined && this.#signed);
    return believed ? { url: origin } : undefined;
  }

  /** Whether it is one of the list, whichever instance. */
  lists(origin: string): boolean {
    return this.backends?.find(origin) !== undefined;
  }

  /** The origin of this process, if it serves sessions itself. */
  get self(): string | undefined {
    return this.#self?.();
  }

  /** The route of a request of a session; `undefined` if it has none (D8), or if what it is called there cannot be read. */
  pinned({ key, id, task }: NamedSession, record: SessionRecord): PinnedRoute | undefined {
    const owner = this.ownerOf(record);
    if (!owner) return undefined;
    const sealed = record[BACKEND_SESSION];
    const backendSession = sealed === undefined ? undefined : unseal(id, BACKEND_SESSION, sealed);
    if (sealed !== undefined && backendSession === undefined) return undefined;
    return { kind: 'pinned', key, id, task, record, backendUrl: owner.url, backendSession };
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
