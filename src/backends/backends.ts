import { isObject, shown, strayOf } from '../given.ts';
import type { Era, SpokenEras } from '../protocol/era.ts';
import { SessionRoutingError } from '../protocol/errors.ts';
import { isThenable } from '../store/deadline.ts';
import type { Awaitable } from '../store/session-store.ts';
import { messageOf } from '../store/user-code.ts';
import { Backend, tiersOf, type BackendInfo } from './backend.ts';
import { Balancer, type Balance, type BalancedRequest, type Turn } from './balance.ts';
import type { BackendDiscovery, BackendSource } from './discovery.ts';
import { entriesOf, type Entry } from './entries.ts';
import { Eras, spokenBy, tiersFor } from './eras.ts';
import { Health } from './health.ts';
import { originOf } from './origin.ts';
import { Poller } from './poller.ts';
import { probe } from './probe.ts';
import type { Traffic } from './traffic.ts';

export interface BackendsOptions {
  readonly balance: Balance;
  /** Path of the GET that shows that a backend is well; `undefined`: a connection does. */
  readonly health: string | undefined;
  /** How long what was learned of a backend's era is believed, in ms. */
  readonly eraTtl: number;
  readonly traffic: Traffic;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  readonly onDown: (origin: string) => void;
  readonly onUp: (origin: string) => void;
  /** The backends could not be found out. */
  readonly onUnlisted: (error: unknown) => void;
  /** It is not one of the backends any more, or another instance has its address now. */
  readonly onRemoved: (origin: string) => void;
}

/** Between two questions where a discovery does not say (ms). */
const DEFAULT_REFRESH = 1000;
/** Timers run at once with anything longer (ms). */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The backends there are, which of them are up, and which one takes the next request. */
export class Backends {
  readonly eras: Eras;
  readonly #options: BackendsOptions;
  readonly #balancer: Balancer;
  readonly #poller: Poller<readonly Entry[]> | undefined;
  #failure: unknown;
  #backends: ReadonlyMap<string, Backend> | undefined;
  #tiers: readonly (readonly string[])[] | undefined;

  /** @throws {SessionRoutingError} `invalid_option` for a fixed list that is none */
  constructor(source: BackendSource, options: BackendsOptions) {
    this.#options = options;
    this.eras = new Eras(options.eraTtl, options.now);
    this.#balancer = new Balancer(options.balance, (origin) => options.traffic.count(origin));
    const discovery = discoveryOf(source);
    if (!discovery) {
      this.#take(fixed(source));
      return;
    }
    this.#poller = new Poller({
      ask: () => entriesFrom(discovery),
      interval: discovery.refresh ?? DEFAULT_REFRESH,
      onAnswer: (entries) => this.#take(entries),
      onFailure: (error) => {
        this.#failure = error;
        options.onUnlisted(error);
      },
    });
  }

  /** The backend with this origin, if it is the instance with this id; `undefined` names none. */
  find(origin: string, id?: string): Backend | undefined {
    const backend = this.#backends?.get(origin);
    return backend?.is(id) ? backend : undefined;
  }

  /** `false` if it could not be found out, just now, which backends there are. */
  refreshed(): Awaitable<boolean> {
    return this.#poller?.fresh() ?? true;
  }

  /**
   * Resolves when it is known which backends there are.
   * @throws {SessionRoutingError} `no_backend` with the discovery's own error as its cause
   */
  async ready(): Promise<void> {
    if (this.#backends || (await this.#poller?.settled())) return;
    const message = `The backends are not known: ${messageOf(this.#failure)}`;
    throw new SessionRoutingError('no_backend', message, { cause: this.#failure });
  }

  /** The backend for a request that belongs to no session, and after it those to try if it cannot be reached. */
  choose(req: BalancedRequest, turn: Turn, era: Era = 'legacy'): readonly string[] {
    this.#tiers ??= tiersOf(this.#backends?.values() ?? []);
    const speaks = (origin: string): boolean | undefined => this.#speaks(origin, era);
    const isAsked = (origin: string): boolean => era === 'modern' && this.eras.asking.has(origin);
    const [best, ...others] = tiersFor(this.#tiers, speaks, isAsked);
    if (!best?.length) return [];
    return this.#balancer.order(best, others.flat(), req, turn);
  }

  /** An answer, or a refusal, tells of the eras that a backend speaks. */
  learnEras(origin: string, speaks: SpokenEras): void {
    const backend = this.#backends?.get(origin);
    if (backend && backend.era === undefined) this.eras.learn(origin, speaks);
  }

  /** Whether it has lately been heard to speak 2026-07-28. */
  hasJustServed(origin: string): boolean {
    return this.eras.isFresh(origin) && this.eras.speaks(origin, 'modern') === true;
  }

  /**
   * The backends that are to be asked whether they speak 2026-07-28: those that did not some time ago and, if
   * `unknownToo`, those of which it is not known. Where there is but one there is no choice to be made.
   */
  unsettled(unknownToo: boolean): readonly string[] {
    const backends = [...(this.#backends?.values() ?? [])];
    if (backends.length < 2) return [];
    return backends
      .filter(({ url, era, health }) => era === undefined && health.isUp && !this.eras.isFresh(url))
      .map(({ url }) => url)
      .filter((url) => {
        const speaks = this.eras.speaks(url, 'modern');
        return speaks === false || (unknownToo && speaks === undefined);
      });
  }

  /** Whether any is known to speak 2026-07-28. */
  get hasModern(): boolean {
    return [...(this.#backends?.keys() ?? [])].some((url) => this.#speaks(url, 'modern'));
  }

  list(): BackendInfo[] {
    const backends = [...(this.#backends?.values() ?? [])];
    return backends.map((backend) => backend.info(this.#options.traffic));
  }

  /** The same, and which of them are draining, be they down or not. */
  status(): (BackendInfo & { readonly draining: boolean })[] {
    return this.list().map((info) => ({ ...info, draining: this.get(info.url).draining }));
  }

  /** @throws as `get` */
  drain(url: unknown, drained: boolean): void {
    this.get(url).drained = drained;
    this.#tiers = undefined;
  }

  /** The backend that somebody has named. @throws {SessionRoutingError} `invalid_option` if there is none */
  get(url: unknown): Backend {
    const origin = originOf(url) ?? String(url);
    const backend = this.#backends?.get(origin);
    if (!backend) {
      const origins = [...(this.#backends?.keys() ?? [])].join(', ') || 'none';
      throw invalid(`${origin} is not one of them; they are: ${origins}`);
    }
    return backend;
  }

  close(): void {
    this.#poller?.close();
    for (const { health } of this.#backends?.values() ?? []) health.close();
  }

  /** What the operator says counts more than what was heard. */
  #speaks(origin: string, era: Era): boolean | undefined {
    const said = spokenBy(this.#backends?.get(origin)?.era)[era];
    return said ?? this.eras.speaks(origin, era);
  }

  #take(entries: readonly Entry[]): void {
    const before = this.#backends;
    const backends = entries.map((entry): [string, Backend] => {
      const known = before?.get(entry.url);
      if (!known?.is(entry.id)) return [entry.url, new Backend(entry, this.#healthOf(entry.url))];
      known.update(entry);
      return [entry.url, known];
    });
    this.#backends = new Map(backends);
    this.#tiers = undefined;
    for (const [url, backend] of before ?? []) {
      if (this.#backends.get(url) === backend) continue;
      backend.health.close();
      this.eras.forget(url);
      this.#balancer.forget(url);
      this.#options.onRemoved(url);
    }
  }

  #healthOf(origin: string): Health {
    const { health, now, onDown, onUp } = this.#options;
    const changed = (tell: (origin: string) => void) => () => {
      this.#tiers = undefined;
      tell(origin);
    };
    return new Health({
      probe: (signal) => probe(origin, health, signal),
      connectionIsProof: health === undefined,
      now,
      onDown: changed(onDown),
      onUp: changed((up) => {
        this.eras.forget(up);
        onUp(up);
      }),
    });
  }
}

/** `undefined`: the source is a list. @throws {SessionRoutingError} `invalid_option` */
function discoveryOf(source: BackendSource): BackendDiscovery | undefined {
  if (typeof source === 'function') return { list: source };
  if (!isObject(source) || !('list' in source)) return undefined;
  const stray = strayOf(source, ['list', 'refresh']);
  if (stray) throw invalid(`"${stray.name}" ${stray.remedy}`);
  const list: unknown = Reflect.get(source, 'list');
  const refresh: unknown = source.refresh ?? DEFAULT_REFRESH;
  if (typeof list !== 'function') throw invalid('"list" must be a function that returns a list');
  if (typeof refresh !== 'number' || !(refresh > 0 && refresh <= LONGEST_TIMER)) {
    throw invalid(`"refresh" must be a number of milliseconds above 0, got ${shown(refresh)}`);
  }
  return source;
}

function fixed(source: unknown): readonly Entry[] {
  const entries = Array.isArray(source) ? source : [source];
  if (source !== null && entries.length > 0) return entriesOf(entries);
  throw invalid(
    'must be an origin or a list of at least one; leave it out to use the target of the proxy',
  );
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `backends: ${problem}`);
}

function entriesFrom(discovery: BackendDiscovery): Awaitable<readonly Entry[]> {
  const listed: unknown = discovery.list();
  return isThenable(listed) ? Promise.resolve(listed).then(entriesOf) : entriesOf(listed);
}
