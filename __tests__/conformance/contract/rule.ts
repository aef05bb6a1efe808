import {
  gateway,
  type AppKind,
  type Gateway,
  type GatewayOptions,
  type ProxyKind,
} from '../../helpers/gateway.ts';
import { scriptedBackends, type ScriptedBackend } from '../../helpers/scripted-backend.ts';

/** What a rule is tried on: one combination of an app and a proxy. */
export interface Env {
  readonly express: AppKind;
  readonly proxy: ProxyKind;
  /** A gateway of this combination. */
  gateway(options?: GatewayOptions): Promise<Gateway>;
  /** A gateway in front of backends a, b, c, which its option `backends` lists. */
  routed(count: number, options?: GatewayOptions): Promise<Routed>;
}

export interface Routed {
  readonly gw: Gateway;
  readonly backends: ScriptedBackend[];
  /** The first of the backends. */
  readonly a: ScriptedBackend;
  /** The second, if there is one; otherwise the first. */
  readonly b: ScriptedBackend;
}

/** One sentence of the contract, and how to try it. */
export interface Rule {
  /** Id of the line of the contract. */
  readonly id: string;
  readonly title: string;
  /** It is about what only that proxy has: a router of the app, or leaving the plugin out. */
  readonly only?: 'http-proxy-middleware';
  readonly run: (env: Env) => Promise<void>;
}

export function envOf(express: AppKind, proxy: ProxyKind): Env {
  const env: Env = {
    express,
    proxy,
    gateway: (options) => gateway({ express, proxy, ...options }),
    async routed(count, options) {
      const backends = await scriptedBackends(count);
      const origins = backends.map((backend) => backend.origin);
      const gw = await env.gateway({
        ...options,
        options: { backends: origins, ...options?.options },
      });
      const [a, b = a] = backends;
      if (!a || !b) throw new RangeError('at least one backend');
      return { gw, backends, a, b };
    },
  };
  return env;
}

/** How many requests have reached any of the backends. */
export function hitsOf(backends: readonly ScriptedBackend[]): number {
  return backends.reduce((sum, backend) => sum + backend.hits.length, 0);
}
