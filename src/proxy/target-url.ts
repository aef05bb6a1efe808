import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { originOf } from '../backends/origin.ts';

/** A longer one is not recorded (characters). */
const LONGEST = 2048;

/**
 * The URL of a target or of what a `router` has returned, with the path that the proxy puts in front of every
 * path; `undefined` if there is none, as for a socket file. Credentials are no part of it.
 */
export function targetUrl(target: unknown): string | undefined {
  if (typeof target === 'string') return originOf(target) === target ? target : withPath(target);
  if (typeof target !== 'object' || target === null || memberOf(target, 'socketPath'))
    return undefined;
  return withPath(memberOf(target, 'href') ?? hrefOf(target));
}

// Parsing costs too much to be done for each request, and the same few are asked for.
const known = new LRUCache<string, { readonly url: string | undefined }>({ max: 1000 });

function withPath(href: string): string | undefined {
  const before = known.get(href);
  if (before) return before.url;
  const url = normalized(href);
  known.set(href, { url });
  return url;
}

function normalized(href: string): string | undefined {
  const origin = originOf(href);
  if (origin === undefined || href.length > LONGEST) return undefined;
  const { pathname, search } = new URL(href);
  return pathname === '/' && search === '' ? origin : origin + pathname + search;
}

function hrefOf(target: object): string {
  const name = memberOf(target, 'hostname') ?? memberOf(target, 'host') ?? 'localhost';
  const host = isIPv6(name) ? `[${name}]` : name;
  const port = memberOf(target, 'port');
  const place = port === undefined ? host : `${host}:${port}`;
  return `${memberOf(target, 'protocol') ?? 'http:'}//${place}${memberOf(target, 'pathname') ?? ''}`;
}

function memberOf(target: object, name: string): string | undefined {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
