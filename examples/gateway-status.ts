/** The settings of gateway.ts that show its status page, and the password in front of it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface StatusSettings {
  path: string;
  password: string;
}

/** A password that many guesses do not find. */
const SHORTEST_PASSWORD = 12;

/** Left out: there is no status page. The password is not repeated in what is thrown. */
export function readStatusPage(
  { STATUS_PATH, STATUS_PASSWORD }: NodeJS.ProcessEnv,
  served: readonly string[],
  readPath: (name: string, value: string) => string,
): StatusSettings | undefined {
  if (!STATUS_PATH && !STATUS_PASSWORD) return undefined;
  if (!STATUS_PATH)
    throw new Error('STATUS_PASSWORD needs a page: give STATUS_PATH, such as /_mcp');
  const path = readPath('STATUS_PATH', STATUS_PATH);
  const parent = path.endsWith('/') ? path : `${path}/`;
  const hidden = served.find((each) => `${each}/`.startsWith(parent));
  if (hidden !== undefined) {
    throw new Error(`STATUS_PATH=${path} hides ${hidden}: give one such as /_mcp`);
  }
  if (!STATUS_PASSWORD || STATUS_PASSWORD.length < SHORTEST_PASSWORD) {
    throw new Error(
      `STATUS_PATH needs a STATUS_PASSWORD of at least ${SHORTEST_PASSWORD} characters: "openssl rand -base64 18" prints one`,
    );
  }
  return { path, password: STATUS_PASSWORD };
}

/** Basic authentication for the option `auth`; the name of the user is not looked at. Use TLS. */
export function withPassword(password: string) {
  // Hashes have one length, which is what can be compared in constant time.
  const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = hashOf(password);
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const [, coded = ''] = /^Basic ([\w+/=-]+)$/i.exec(req.headers.authorization ?? '') ?? [];
    const given = Buffer.from(coded, 'base64').toString();
    if (timingSafeEqual(hashOf(given.slice(given.indexOf(':') + 1)), expected)) return true;
    // The browser asks for the password.
    res.setHeader('WWW-Authenticate', 'Basic realm="status", charset="UTF-8"');
    return false;
  };
}
