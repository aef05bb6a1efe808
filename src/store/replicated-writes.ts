import type { RedisClient } from './redis-client.ts';
import type { RedisSubscriber } from './redis-subscription.ts';

/**
 * Longest that replicas are waited for (ms). It has to be less than the `commandTimeout` of the client, past which
 * the answer would not be heard.
 */
const PATIENCE = 200;

type Command = [name: string, ...args: (string | number)[]];

/**
 * Writes that count only once so many replicas have them. `WAIT` speaks of what was written on its own connection,
 * and blocks that connection: so there is one of its own for such writes, and nobody's reads wait behind them.
 */
export class ReplicatedWrites {
  readonly #client: RedisClient;
  readonly #minReplicas: number;
  #connection: (RedisClient & RedisSubscriber) | undefined;
  #unconfirmed = false;
  #trial: Promise<unknown> | undefined;

  constructor(client: RedisClient, minReplicas: number) {
    this.#client = client;
    this.#minReplicas = minReplicas;
    this.open();
  }

  open(): void {
    if (this.#connection) return;
    const connection = this.#client.duplicate();
    // Without a listener ioredis prints each error; what it means for us is told by the writes that fail.
    connection.on('error', () => {});
    // A client made with `lazyConnect` has a lazy twin.
    if (connection.status === 'wait') connection.connect().catch(() => {});
    this.#connection = connection;
  }

  /** Stores the value if there is none, in one round trip; two with a Cluster. */
  async create(key: string, value: string, ms: number): Promise<boolean> {
    if (!this.#client.isCluster) {
      return (await this.#write(['set', key, value, 'PX', ms, 'NX'])) === 'OK';
    }
    // ioredis follows no MOVED out of a pipeline with `WAIT` in it, and learns nothing from it.
    if ((await this.#client.call('SET', key, value, 'PX', ms, 'NX')) !== 'OK') return false;
    await this.confirm(key, ms);
    return true;
  }

  /** Throws unless the replicas have what is stored under the key, which is kept for `ms` from now on. */
  async confirm(key: string, ms: number): Promise<void> {
    // A write, since `WAIT` on a connection that has written nothing is content at once.
    const found = await this.#write(['pexpire', key, ms]);
    if (Number(found) !== 1) throw new Error('what was written is gone');
  }

  /** Throws if the connection for such writes cannot be used, or `WAIT` is not allowed. */
  async probe(): Promise<void> {
    await this.#connected().call('WAIT', 0, 1);
  }

  close(): void {
    // To disconnect a client that has ended leaves a timer of two seconds behind.
    if (this.#connection?.status !== 'end') this.#connection?.disconnect();
    this.#connection = undefined;
  }

  /**
   * While replicas are missing one write at a time finds out whether they are back, and the others share its lot:
   * otherwise each would block the connection for its whole time, one after the other.
   */
  async #write(command: Command): Promise<unknown> {
    if (this.#trial) await this.#trial;
    const written = this.#confirmed(command);
    if (!this.#unconfirmed) return written;
    this.#trial = written;
    try {
      return await written;
    } finally {
      this.#trial = undefined;
    }
  }

  async #confirmed(command: Command): Promise<unknown> {
    try {
      const reply = await this.#ask(command);
      this.#unconfirmed = false;
      return reply;
    } catch (error) {
      // A slot that moves says nothing of replicas.
      this.#unconfirmed ||= !isRedirection(error);
      throw error;
    }
  }

  /** The reply to the command; `null` if it has written nothing, for which there is nothing to wait. */
  async #ask(command: Command, mayBeSentOn = true): Promise<unknown> {
    const wait = ['wait', this.#minReplicas, PATIENCE];
    const replies = await this.#connected().pipeline([command, wait]).exec();
    const [error, reply] = replies?.[0] ?? [];
    const [waitError, replicas] = replies?.[1] ?? [];
    if (mayBeSentOn && isRedirection(error)) {
      // From a pipeline with `WAIT` in it ioredis learns of no moved slot, and would be sent away for ever.
      await this.#connected().call(...command);
      return this.#ask(command, false);
    }
    if (error ?? waitError) throw error ?? waitError;
    if (reply === null || Number(replicas) >= this.#minReplicas) return reply;
    throw new Error(`${String(replicas)} of ${this.#minReplicas} replicas have what was written`);
  }

  #connected(): RedisClient {
    // Not made anew: a request that outlives its gateway would leave it open for ever.
    if (!this.#connection) throw new Error('the store is closed');
    return this.#connection;
  }
}

function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK) /.test(error.message);
}
