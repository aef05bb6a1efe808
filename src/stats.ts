import type { Counters } from './counters.ts';

/** What `stats` tells, of this process: counted since the middleware was made, and how it is now. */
export interface Stats extends Counters {
  /** Event streams of sessions that are open now. */
  readonly streams: number;
  /** Sessions in the local cache now. */
  readonly cached: number;
  /** How often the cache knew what was looked for. */
  readonly cacheHits: number;
  /** How often the store had to be asked, although there is a cache. */
  readonly cacheMisses: number;
}
