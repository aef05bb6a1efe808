import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { RedisStore } from '../../../src/index.ts';
import type { RedisClient } from '../../../src/store/redis-client.ts';
import type { RedisSubscriber } from '../../../src/store/redis-subscription.ts';
import { KEY, recordOf } from './clocked-store.ts';

type Command = readonly unknown[];

/** Which connection a command was sent on: the app's client, or the one that was made for writes with `WAIT`. */
type Sent = [connection: 'client' | 'writes', ...commands: Command[]];

/** An ioredis client in which `reply` stands for Redis. */
class Client extends EventEmitter implements RedisClient, RedisSubscriber {
  status = 'ready';
  isCluster = false;
  reply: (command: Command) => unknown = ([name]) => (name === 'wait' ? 1 : 'OK');
  readonly sent: Sent[] = [];
  readonly made: Client[] = [];
  readonly calls: string[] = [];

  async call(...command: unknown[]): Promise<unknown> {
    this.sent.push(['client', command]);
    return this.reply(command);
  }
  pipeline(commands: unknown[][]): { exec(): Promise<[Error | null, unknown][]> } {
    this.sent.push(['client', ...commands]);
    const answers = commands.map(async (command): Promise<[Error | null, unknown]> => {
      const reply = await this.reply(command);
      return reply instanceof Error ? [reply, undefined] : [null, reply];
    });
    return { exec: () => Promise.all(answers) };
  }
  duplicate(): Client {
    const twin = new Client();
    twin.status = this.status;
    twin.reply = (command) => this.reply(command);
    twin.sent.push = (...sent) =>
      this.sent.push(...sent.map(([, ...commands]): Sent => ['writes', ...commands]));
    this.made.push(twin);
    return twin;
  }
  defineCommand(): void {}
  async connect(): Promise<void> {
    this.calls.push('connect');
  }
  async subscribe(): Promise<void> {}
  disconnect(): void {
    this.calls.push('disconnect');
  }
}

function storeOn(client: Client, minReplicas = 1): RedisStore {
  return new RedisStore({ client, minReplicas, prefix: '' });
}

/** Replies to these commands in place of the usual ones. */
function replying(replies: Record<string, unknown>, client = new Client()): Client {
  const usual = client.reply;
  client.reply = (command) => {
    const name = String(command[0]).toLowerCase();
    return name in replies ? replies[name] : usual(command);
  };
  return client;
}

const RECORD = recordOf();
const VALUE = JSON.stringify(RECORD);
const UNHEARD = { ended: () => {}, interrupted: () => {}, resumed: () => {} };
const create = (store: RedisStore): Promise<boolean> => store.create(KEY, RECORD, 5);

describe('a session that replicas must have', () => {
  test('is created in one round trip, on a connection whose waiting stops nobody', async () => {
    const client = new Client();
    await create(storeOn(client));
    expect(client.sent).toEqual([['writes', ['set', KEY, VALUE, 'PX', 5, 'NX'], ['wait', 1, 200]]]);
  });

  test.each([1, '1', 2])('is created once %p of them have it', async (wait) => {
    expect(await create(storeOn(replying({ wait })))).toBe(true);
  });

  test.each([0, '0', null, 'OK'])('is not created if %p of them have it', async (wait) => {
    await expect(create(storeOn(replying({ wait })))).rejects.toThrow(
      'of 1 replicas have what was written',
    );
  });

  test.each(['set', 'wait'])('is not created if %s fails', async (name) => {
    const store = storeOn(replying({ [name]: new Error('LOADING') }));
    await expect(create(store)).rejects.toThrow('LOADING');
  });

  test('of another backend is a conflict, whatever replicas say', async () => {
    const other = JSON.stringify({ ...RECORD, nonce: 'other', backend_url: 'http://other' });
    const client = replying({ set: null, wait: 0, get: other, pttl: 9 });
    expect(await create(storeOn(client))).toBe(false);
    expect(client.sent.at(-1)?.[0]).toBe('client');
  });

  test.each([
    [1, false],
    [0, '0 of 1 replicas have what was written'],
  ])('that is there already, and ours, has to be had by replicas too (%p)', async (wait, said) => {
    const client = replying({ set: null, wait, get: VALUE, pttl: 9, pexpire: 1 });
    const created = create(storeOn(client)).catch((error: Error) => error.message);
    expect(await created).toBe(said);
    expect(client.sent.at(-1)).toEqual(['writes', ['pexpire', KEY, 5], ['wait', 1, 200]]);
  });

  test('is ended once they have that', async () => {
    const client = replying({ eval: 1, pexpire: 1 });
    expect(await storeOn(client).replace(KEY, RECORD, 5, 1)).toBe(true);
    expect(client.sent.at(-1)).toEqual(['writes', ['pexpire', KEY, 5], ['wait', 1, 200]]);
  });

  test('is not reported as ended if it is gone when they are asked', async () => {
    const store = storeOn(replying({ eval: 1, pexpire: 0 }));
    await expect(store.replace(KEY, RECORD, 5, 1)).rejects.toThrow('what was written is gone');
  });

  test('that was changed meanwhile is not ended, and nobody is waited for', async () => {
    const client = replying({ eval: 0 });
    expect(await storeOn(client).replace(KEY, RECORD, 5, 1)).toBe(false);
    expect(client.sent.map(([connection]) => connection)).toEqual(['client']);
  });

  test('is created on a Cluster by a command that follows redirections, then waited for at its node', async () => {
    const client = replying({ pexpire: 1 });
    client.isCluster = true;
    expect(await create(storeOn(client))).toBe(true);
    expect(client.sent).toEqual([
      ['client', ['SET', KEY, VALUE, 'PX', 5, 'NX']],
      ['writes', ['pexpire', KEY, 5], ['wait', 1, 200]],
    ]);
  });
});

describe('a session whose slot of the Cluster has moved', () => {
  /** A Cluster that sends the pipeline away so many times. */
  function moving(times: number): Client {
    let left = times;
    const client = new Client();
    client.isCluster = true;
    client.reply = ([name]) => {
      if (name === 'pexpire' && left > 0) {
        left -= 1;
        return new Error('MOVED 1 127.0.0.1:1');
      }
      return name === 'wait' || name === 'pexpire' ? 1 : 'OK';
    };
    return client;
  }

  test('is asked for where it is now', async () => {
    const client = moving(1);
    expect(await create(storeOn(client))).toBe(true);
    expect(client.sent.map(([, ...commands]) => commands.map(([name]) => name))).toEqual([
      ['SET'],
      ['pexpire', 'wait'],
      ['pexpire'],
      ['pexpire', 'wait'],
    ]);
  });

  test('and goes on moving is not created, which says nothing of replicas', async () => {
    const store = storeOn(moving(3));
    await expect(create(store)).rejects.toThrow('MOVED');
    expect(await Promise.all([create(store), create(store)])).toEqual([true, true]);
  });
});

describe('while replicas are missing', () => {
  /** A store whose last create has failed, and where from now on `WAIT` is answered when the test says so. */
  async function missing(): Promise<{
    client: Client;
    store: RedisStore;
    answer: (n: number) => void;
  }> {
    const client = new Client();
    const usual = client.reply;
    let answer = (_replicas: number): void => {};
    client.reply = (command) => (command[0] === 'wait' ? 0 : usual(command));
    const store = storeOn(client);
    await create(store).catch(() => {});
    const waited = new Promise<number>((resolve) => (answer = resolve));
    client.reply = (command) => (command[0] === 'wait' ? waited : usual(command));
    client.sent.length = 0;
    return { client, store, answer };
  }

  test('one write tries them, and the others fail with it', async () => {
    const { client, store, answer } = await missing();
    const created = Promise.allSettled([create(store), create(store), create(store)]);
    answer(0);
    expect((await created).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(client.sent).toHaveLength(1);
  });

  test('one write tries them, and when they are back the others follow', async () => {
    const { client, store, answer } = await missing();
    const created = Promise.all([create(store), create(store), create(store)]);
    answer(1);
    expect(await created).toEqual([true, true, true]);
    expect(client.sent).toHaveLength(3);
  });
});

describe('the connection for writes that replicas must have', () => {
  test('is not made when none must', () => {
    const client = new Client();
    const store = storeOn(client, 0);
    expect([client.made, store.probe]).toEqual([[], undefined]);
    expect(() => store.close()).not.toThrow();
  });

  test('is connected if it is lazy, survives errors, and ends with the store', () => {
    const client = new Client();
    client.status = 'wait';
    const store = storeOn(client);
    const [writes] = client.made;
    expect(() => writes?.emit('error', new Error('ECONNRESET'))).not.toThrow();
    store.close();
    store.close();
    expect(writes?.calls).toEqual(['connect', 'disconnect']);
  });

  test('is left alone if it has ended', () => {
    const client = new Client();
    const store = storeOn(client);
    Object.assign(client.made[0] ?? {}, { status: 'end' });
    store.close();
    expect(client.made[0]?.calls).toEqual([]);
  });

  test('is not made anew by a request that outlives its gateway', async () => {
    const client = new Client();
    const store = storeOn(client);
    store.close();
    await expect(create(store)).rejects.toThrow('the store is closed');
    expect(client.made).toHaveLength(1);
  });

  test('is kept until the last gateway on the store ends, and made anew for the next one', async () => {
    const client = new Client();
    const store = storeOn(client);
    const stops = [store.subscribe(UNHEARD), store.subscribe(UNHEARD)];
    stops[0]?.();
    store.close();
    expect(await create(store)).toBe(true);
    stops[1]?.();
    store.close();
    store.subscribe(UNHEARD)();
    expect(await create(store)).toBe(true);
  });

  test('is asked when the gateway asks whether the store is ready', async () => {
    const client = replying({ get: null, pttl: -2 });
    await storeOn(client).probe?.();
    expect(client.sent).toEqual([
      ['writes', ['WAIT', 0, 1]],
      ['client', ['get', ''], ['pttl', '']],
    ]);
  });
});
