import type { RedisSubscriber } from './redis-subscription.ts';

/** What is used of an ioredis `Redis` or `Cluster` (5 or 6). */
export interface RedisClient {
  readonly isCluster?: boolean;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[Error | null, unknown][] | null> };
  duplicate(override?: object): RedisClient & RedisSubscriber;
}

/** Whether the value looks like an ioredis `Redis` or `Cluster`. */
export function isRedisClient(value: unknown): value is RedisClient {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['call', 'pipeline', 'duplicate', 'defineCommand'].every(
      (name) => typeof Reflect.get(value, name) === 'function',
    )
  );
}
