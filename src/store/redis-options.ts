/**
 * Options for ioredis that fail fast and heal. With ioredis' defaults a request hangs for over a minute when
 * Redis is down.
 *
 * @example
 * new Redis(process.env.REDIS_URL, recommendedRedisOptions)
 */
export const recommendedRedisOptions: RecommendedRedisOptions = Object.freeze({
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 300,
  connectTimeout: 1000,
  socketTimeout: 1000,
  retryStrategy(attempt: number): number {
    return Math.min(50 * 2 ** Math.min(attempt, 4), 450) + Math.random() * 50;
  },
  reconnectOnError: reconnectOnReadOnly(),
  sentinelCommandTimeout: 1000,
});

export interface RecommendedRedisOptions {
  /** A command is not kept for a connection that may never come. */
  readonly enableOfflineQueue: false;
  readonly maxRetriesPerRequest: 0;
  /** Milliseconds. */
  readonly commandTimeout: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds after which a connection that does not answer is given up (ioredis >= 6). */
  readonly socketTimeout: number;
  /** Milliseconds until the next attempt; it never gives up. */
  readonly retryStrategy: (attempt: number) => number;
  /** After a failover the old master answers READONLY: connect anew, at most once a second. */
  readonly reconnectOnError: (error: Error) => boolean;
  /** Milliseconds after which the next Sentinel is asked. */
  readonly sentinelCommandTimeout: number;
}

function reconnectOnReadOnly(): (error: Error) => boolean {
  let last = -Infinity;
  return (error) => {
    const now = performance.now();
    if (!error.message.startsWith('READONLY') || now - last < 1000) return false;
    last = now;
    return true;
  };
}
