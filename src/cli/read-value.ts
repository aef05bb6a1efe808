/** Readers of single values: `undefined` for what cannot be. */

export function portIn(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

export function wholeNumberIn(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** Milliseconds, of seconds that may have a fraction. */
export function secondsIn(text: string, least: number, most: number): number | undefined {
  const seconds = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return seconds >= least && seconds <= most ? Math.round(seconds * 1000) : undefined;
}

export function booleanIn(text: string): boolean | undefined {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  return /^(false|0|no|off)$/i.test(text) ? false : undefined;
}

/** Letters, digits and `-._~` only, as it will be matched and sent. */
export function plainPathIn(text: string): string | undefined {
  if (text !== '/' && !/^(\/[\w.~-]+)+\/?$/.test(text)) return undefined;
  return new URL(text, 'http://gateway').pathname === text ? text : undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[address]:port` of IPv6. */
export function addressIn(text: string): Address | undefined {
  const [, host, port] = /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) return undefined;
  return { host: host.replaceAll(/^\[|\]$/g, ''), port: Number(port) };
}
