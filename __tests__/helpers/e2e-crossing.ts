import type { Fetch } from './e2e-clients.ts';
import { post } from './e2e-runs.ts';

export interface Crossing {
  readonly fetch: Fetch;
  /** Status and body of the call that was sent as soon as the session's id was there. */
  firstCall(): Promise<{ status: number; body: string }>;
}

/**
 * The way of a client that never stays with one gateway: it opens its session at one; when the head of that answer
 * arrives, and before its body does, a call goes to the next gateway, and so does the SDK's own first request;
 * those that follow go to any. `urls` is read anew for each request.
 */
export function crossing(urls: readonly string[], index: number): Crossing {
  const at = (turn: number): string => urls[turn % urls.length] ?? '';
  let first: Promise<Response> | undefined;
  let requests = 0;

  return {
    async fetch(_url, init) {
      if (new Headers(init?.headers).has('mcp-session-id')) {
        requests += 1;
        return fetch(
          at(requests === 1 ? index + 1 : Math.floor(Math.random() * urls.length)),
          init,
        );
      }
      const response = await fetch(at(index), init);
      const session = response.headers.get('mcp-session-id');
      if (session !== null) first = post(at(index + 1), session);
      first?.catch(() => {});
      return response;
    },
    async firstCall() {
      if (!first) throw new Error('no session was opened');
      const { status } = await first;
      return { status, body: await (await first).text() };
    },
  };
}
