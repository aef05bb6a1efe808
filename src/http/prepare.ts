import type { IncomingMessage } from 'node:http';
import { DISCOVER } from '../protocol/era.ts';
import { METHOD_HEADER } from '../protocol/tasks.ts';
import type { Asked } from '../routing/answer.ts';
import type { Caller } from '../routing/caller.ts';
import type { NamedSession, PinnedRoute, Route, Stop } from '../routing/route.ts';
import { echoOf, keptBody } from './request-message.ts';
import type { Surroundings } from './surroundings.ts';

/** A request that a proxy has asked for. */
export interface Prepared {
  readonly req: IncomingMessage;
  readonly asked: Asked;
  readonly route: Route;
  readonly caller: Caller | undefined;
  named: NamedSession | undefined;
  body: Buffer | undefined;
  rawId: string | undefined;
  identify(): boolean;
  take(route: Route): void;
  stopAt(stop: Stop): void;
}

type Around = Pick<Surroundings, 'routing' | 'maxBodySize' | 'recovers' | 'servesItself'>;

/** What has to be known of a request, or kept of it, before it is sent; to be waited for. */
export function prepare(request: Prepared, around: Around): Promise<unknown> | undefined {
  const { route, named } = request;
  const mayOpen = route.kind === 'open' && (route.opening || route.createsTask === true);
  // Any POST of an app may: who sends it is asked once it has opened something (A14).
  const opens = mayOpen && !around.servesItself;
  if ((named || opens) && !request.identify()) {
    request.stopAt({ kind: 'refuse', reason: 'principal_failed' });
    return undefined;
  }
  if (named) return find(request, named, around);
  const asking = askForEra(request, around);
  if (asking) return asking;
  const holding = hold(request, around);
  return holding ? holding.then(() => lookAgain(request, around)) : lookAgain(request, around);
}

async function find(request: Prepared, session: NamedSession, around: Around): Promise<void> {
  request.named = undefined;
  const { routing } = around;
  const { req, caller, route } = request;
  const at = session.task
    ? await routing.finder.byTask(session, req, caller, route)
    : await routing.finder.byQuery(session, req, caller);
  if (at === undefined) {
    await askForEra(request, around);
    return;
  }
  await arrive(request, at, around);
  await hold(request, around);
  await lookAgain(request, around);
}

/** The app, or a slow body, may have taken its time: the session's backend may be none any more (D8). */
function lookAgain(request: Prepared, around: Around): Promise<void> | undefined {
  const { routing } = around;
  const { route, req } = request;
  if (route.kind !== 'pinned' || routing.hasOwner(route)) return undefined;
  const pinning = Promise.resolve(routing.finder.pin(route, route.record, req));
  return pinning.then((at) => arrive(request, at, around));
}

async function arrive(
  request: Prepared,
  at: PinnedRoute | Stop,
  { maxBodySize }: Around,
): Promise<void> {
  if (at.kind === 'pinned') {
    request.take(at);
    return;
  }
  request.stopAt(at);
  ({ rawId: request.rawId } = await echoOf(request.req, maxBodySize));
}

function askForEra(
  { route, req, asked }: Prepared,
  { routing }: Around,
): Promise<unknown> | undefined {
  if (route.kind !== 'open' || !route.modern) return undefined;
  const discovers = req.headers[METHOD_HEADER] === DISCOVER;
  return routing.eraFinder.ask(asked.path, req, discovers);
}

function hold(request: Prepared, { recovers, maxBodySize }: Around): Promise<void> | undefined {
  const { route, req } = request;
  const matters = route.kind === 'pinned' || route.opening;
  if (!recovers || !matters || req.method !== 'POST') return undefined;
  return keptBody(req, maxBodySize).then((body) => {
    request.body = body;
  });
}
