import { once } from 'node:events';
import { mcpSessionRouting } from '../../mcp-session-routing.ts';
import type { McpSessionRouting } from '../../members.ts';
import type { SessionEvents } from '../../options.ts';
import { SessionRoutingError } from '../../protocol/errors.ts';
import { sessionForwarder } from '../../proxy/forward/session-forwarder.ts';
import { RedisStore } from '../../store/redis-store.ts';
import type { StoreLike } from '../../store/resolve-store.ts';
import { messageOf } from '../../store/user-code.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { listenerOf } from './listener.ts';
import type { GatewaySettings } from './read-settings.ts';
import { connectRedis, watched } from './redis-client.ts';
import { listen } from './server.ts';
import type { SettingName } from './settings-table.ts';
import { withStatusPage } from './status-page.ts';

/** While the list of servers cannot be had that is said once in this time (ms). */
const WARNING_INTERVAL = 10_000;

/** Which setting is behind an option of the package that the package itself checks. */
const SETTING_OF: Readonly<Record<string, SettingName>> = {
  allowedOrigins: 'allowedOrigin',
  health: 'health',
  secret: 'storeSecret',
};

/** Serves until it is told to stop, and then lets requests finish. @throws {UsageError} for what the package refuses */
export async function runGateway(
  settings: GatewaySettings,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<void> {
  const warn = (text: string): void => terminal.err(`gateway: ${text}`);
  const redis = settings.redis && watched(await connectRedis(settings.redis), warn);
  const closers: (() => unknown)[] = [() => redis?.disconnect()];
  try {
    const store = redis && new RedisStore({ client: redis });
    const life = { serving: false };
    const sessions = create(settings, store, warn, life);
    closers.push(() => sessions.close());
    await Promise.race([ready(sessions, warn), stopped(stop)]);
    if (stop.aborted) return;

    life.serving = true;
    const { host, port, path, drain, forwarderOptions, status } = settings;
    const forwards = listenerOf(sessions, sessionForwarder(forwarderOptions), settings);
    const listener = status ? withStatusPage(sessions, status, forwards) : forwards;
    const server = await listen(listener, port, host);
    terminal.out(
      redis ? 'sessions are kept in Redis' : 'sessions are kept in memory: for one gateway',
    );
    if (status) terminal.out(`status page: ${server.origin}${status.path}`);
    terminal.out(`listening on ${server.origin}${path}`);
    await stopped(stop);
    await Promise.all([server.drain(drain), sessions.close({ drain })]);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

function create(
  { backends, sessionOptions, logSessions, givens }: GatewaySettings,
  store: StoreLike,
  warn: (text: string) => void,
  life: { readonly serving: boolean },
): McpSessionRouting {
  try {
    return mcpSessionRouting(store, {
      backends,
      sse: true,
      on: { ...warnings(warn, life), ...(logSessions && talk(warn)) },
      ...sessionOptions,
    });
  } catch (error) {
    if (!(error instanceof SessionRoutingError)) throw error;
    throw new UsageError(inWordsOf(givens, error.message), { cause: error });
  }
}

/** A refusal of the package, which names options, in the names that were given here. */
function inWordsOf(givens: GatewaySettings['givens'], message: string): string {
  const [, option = '', problem = ''] = /option "(\w+)":? (.*)/s.exec(message) ?? [];
  const setting = SETTING_OF[option];
  const named = setting && givens[setting];
  if (named) return `${named.name}: ${problem}`;
  return message.replace(/^backends(?=: )/, givens.backend?.name ?? 'backends');
}

/** Rejects if there is no list of servers; a Redis that does not answer yet is only told. */
async function ready(sessions: McpSessionRouting, warn: (text: string) => void): Promise<void> {
  try {
    await sessions.ready();
  } catch (error) {
    if (error instanceof SessionRoutingError && error.code === 'no_backend') throw error;
    warn(`the store does not answer: ${messageOf(error)}`);
  }
}

async function stopped(stop: AbortSignal): Promise<void> {
  if (!stop.aborted) await once(stop, 'abort');
}

function warnings(
  warn: (text: string) => void,
  life: { readonly serving: boolean },
): SessionEvents {
  let warnedAt = -Infinity;
  return {
    backendDown: ({ backend }) => warn(`${backend} is down`),
    backendUp: ({ backend }) => warn(`${backend} is up again`),
    discoveryFailed({ error }) {
      // At the start it ends the gateway, which tells it.
      if (!life.serving || performance.now() - warnedAt < WARNING_INTERVAL) return;
      warnedAt = performance.now();
      warn(`${messageOf(error)}; the servers stay as they were`);
    },
  };
}

/** Sessions are named by 12 hex digits of the SHA-256 of their ids. */
function talk(say: (text: string) => void): SessionEvents {
  return {
    opened: ({ session, backend }) => say(`session ${session} opened on ${backend}`),
    recovered: ({ session, backend }) => say(`session ${session} goes on on ${backend}`),
    ended: ({ session }) => say(`session ${session} ended`),
    storeFailed: ({ error, during }) =>
      say(`the store has failed (${during}): ${messageOf(error)}`),
  };
}
