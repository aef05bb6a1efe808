import { type Fetch, type Make, makeClient1, makeClient2, type SdkClient } from './e2e-sdks.ts';

export type { Fetch } from './e2e-sdks.ts';

export interface ClientOptions {
  /** Answers the servers' requests with it. */
  readonly name?: string;
  readonly fetch?: Fetch;
}

/** A client of one of the official SDKs, as far as these tests need it. */
export interface RealClient extends SdkClient {
  readonly name: string;
  /** Resolves when the GET stream of the session is open. */
  listening(): Promise<void>;
}

/** Of all eras. `auto` asks the server what it speaks; the others begin as they are. */
export const CLIENTS = {
  'SDK v1': makeClient1(false),
  'SDK v2': makeClient2('legacy'),
  'SDK v2 auto': makeClient2('auto'),
  'SDK v2 2026-07-28': makeClient2({ pin: '2026-07-28' }),
  'SDK v1 SSE': makeClient1(true),
  'SDK v2 SSE': makeClient2('sse'),
} as const satisfies Record<string, Make>;

export type ClientKind = keyof typeof CLIENTS;

export function createClient(
  kind: ClientKind,
  url: string,
  { name = 'client', fetch: send = (to, init) => fetch(to, init) }: ClientOptions = {},
): RealClient {
  let opened: () => void;
  let inQuery: string | undefined;
  const stream = new Promise<void>((resolve) => (opened = resolve));
  const watched: Fetch = async (to, init) => {
    const response = await send(to, init);
    if (init?.method === 'GET' && response.ok) opened();
    if (init?.method === 'POST') inQuery ??= sessionInQuery(to);
    return response;
  };
  const client = CLIENTS[kind](url, { name, fetch: watched });
  return {
    name,
    listening: () => stream,
    ...client,
    session: () => client.session() ?? inQuery,
  };
}

/** That of HTTP+SSE. */
function sessionInQuery(url: string | URL): string | undefined {
  const { searchParams } = new URL(url);
  return searchParams.get('sessionId') ?? searchParams.get('session_id') ?? undefined;
}

/** HTTP status that a call has failed with, if it has failed with one. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const status: unknown = Reflect.get(error, 'status') ?? Reflect.get(error, 'code');
  return typeof status === 'number' && status >= 100 ? status : undefined;
}
