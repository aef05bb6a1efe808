import { withDeadline } from './deadline.ts';
import type { EndedListener } from './session-store.ts';

/** What is used of an ioredis connection that only listens. */
export interface RedisSubscriber {
  on(event: string, listener: (...args: string[]) => void): unknown;
  readonly status: string;
  connect(): Promise<void>;
  subscribe(...channels: string[]): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
}

/**
 * How often the subscription is renewed (ms). A connection that was cut off silently, by a firewall that forgets
 * idle ones for instance, would otherwise never be missed.
 */
const RENEWAL = 1000;

/** In front of the id of a session whose record was replaced, and that is not over. */
export const CHANGED = 'changed:';

/**
 * Hears on `channel` of the sessions that any gateway ends, and tells when some may have been missed.
 * `noticesGaps`: whether the connection emits "close" each time it is lost. ioredis' Cluster does not, so with
 * it endings are heard, but never relied on. `onGap`: called when the connection is lost, or silent.
 */
export function hearEndings(
  subscriber: RedisSubscriber,
  channel: string,
  listener: EndedListener,
  noticesGaps: boolean,
  onGap: () => void = () => {},
): () => void {
  let hears = false;

  function lost(): void {
    if (!hears) return;
    hears = false;
    listener.interrupted();
    onGap();
  }

  function heard(): void {
    if (!hears && noticesGaps) {
      hears = true;
      listener.resumed();
    }
  }

  function subscribe(): void {
    withDeadline(() => subscriber.subscribe(channel), RENEWAL).then(heard, () => {
      lost();
      // Nobody answers on this connection: another one may do.
      if (noticesGaps && subscriber.status === 'ready') subscriber.disconnect(true);
    });
  }

  subscriber.on('message', (_channel: string, message: string) => {
    if (message.startsWith(CHANGED)) listener.changed?.(message.slice(CHANGED.length));
    else listener.ended(message);
  });
  // Without a listener ioredis prints each error; what it means for us is told by `interrupted`.
  subscriber.on('error', () => {});
  subscriber.on('close', lost);
  subscriber.on('ready', subscribe);
  const timer = setInterval(() => {
    if (subscriber.status === 'ready') subscribe();
  }, RENEWAL).unref();
  // A client made with `lazyConnect` has a lazy twin.
  if (subscriber.status === 'wait') subscriber.connect().catch(lost);

  return () => {
    clearInterval(timer);
    // To disconnect a client that has ended leaves a timer of two seconds behind.
    if (subscriber.status !== 'end') subscriber.disconnect();
  };
}
