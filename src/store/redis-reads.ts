import type { RedisClient } from './redis-client.ts';

/** What GET and PTTL have answered for one key. */
export type Replies = readonly [
  get: readonly [error: Error | null, value: unknown] | undefined,
  pttl: readonly [error: Error | null, value: unknown] | undefined,
];

interface Waiting {
  readonly key: string;
  readonly resolve: (replies: Replies) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Asks for a record and its time in one round trip. What is asked while one turn of the event loop lasts goes to
 * Redis together: with many requests at once that takes a fraction of the writes, wake-ups and replies.
 */
export class RedisReads {
  readonly #client: RedisClient;
  #waiting: Waiting[] = [];

  constructor(client: RedisClient) {
    this.#client = client;
  }

  read(key: string): Promise<Replies> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      // A pipeline of a cluster goes to one node, and so must be about one key.
      if (this.#client.isCluster) this.#send();
      else if (this.#waiting.length === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    const asked = this.#waiting;
    this.#waiting = [];
    const commands = asked.flatMap(({ key }) => [
      ['get', key],
      ['pttl', key],
    ]);
    const failed = (error: unknown): void => asked.forEach(({ reject }) => reject(error));
    try {
      this.#client
        .pipeline(commands)
        .exec()
        .then((replies) => {
          for (const [at, { resolve }] of asked.entries())
            resolve([replies?.[2 * at], replies?.[2 * at + 1]]);
        })
        .catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
