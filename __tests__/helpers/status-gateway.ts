import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import type { StatusPageOptions } from '../../src/index.ts';
import { gateway, type Gateway, type GatewayOptions } from './gateway.ts';
import { scriptedBackends, type ScriptedBackend } from './scripted-backend.ts';
import { STATUS_PATH } from './status-page.ts';

export interface StatusGateway extends Gateway {
  readonly backends: readonly [ScriptedBackend, ScriptedBackend];
  readonly origins: readonly [string, string];
}

export interface StatusGatewayOptions extends GatewayOptions {
  /** @default { auth: false } */
  readonly page?: StatusPageOptions<Request, Response>;
}

/** A gateway in front of two backends, its status page mounted before all else, as the documentation says. */
export async function statusGateway(given: StatusGatewayOptions = {}): Promise<StatusGateway> {
  const { page = { auth: false }, options, before, ...rest } = given;
  const backends = (await scriptedBackends(2)) as [ScriptedBackend, ScriptedBackend];
  const [a, b] = backends;
  const started = await gateway({
    ...rest,
    options: { backends: [a.origin, b.origin], ...options },
    before(app, sessions) {
      before?.(app, sessions);
      app.use(STATUS_PATH, sessions.statusPage(page));
    },
  });
  return Object.assign(started, { backends, origins: [a.origin, b.origin] as const });
}

/** What a session is called on the page. */
export function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}
