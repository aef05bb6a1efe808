import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { McpSessionRouting } from '../../members.ts';
import type { StatusAuth } from '../../status/options.ts';
import { shown, valueOf, type Givens } from '../given.ts';
import { plainPathIn } from '../read-value.ts';
import { UsageError } from '../usage-error.ts';
import type { SettingName } from './settings-table.ts';

export interface StatusSettings {
  /** Without a slash at its end. */
  readonly path: string;
  readonly password: string;
}

/** A password that many guesses do not find. */
const SHORTEST_PASSWORD = 12;

/** The status page and its place, if there is to be one. @throws {UsageError} that does not repeat the password */
export function readStatusPage(
  { statusPath, statusPassword }: Givens<SettingName>,
  served: readonly string[],
): StatusSettings | undefined {
  if (!statusPath) {
    if (!statusPassword) return undefined;
    throw new UsageError(`${statusPassword.name} needs a page: give --status-path /_mcp too`);
  }
  const remedy = 'is not a plain path: give one such as /_mcp';
  const path = (valueOf(statusPath, plainPathIn, remedy) ?? '').replace(/\/$/, '');
  const hidden = [...served, '/sse', '/.well-known'].find((taken) => isUnder(taken, path));
  if (hidden !== undefined || isUnder(path, '/.well-known')) {
    throw new UsageError(`${shown(statusPath)} hides what is for servers: give one such as /_mcp`);
  }
  const [password = ''] = statusPassword?.values ?? [];
  if (password.length < SHORTEST_PASSWORD) {
    throw new UsageError(
      `${statusPath.name} needs a STATUS_PASSWORD of at least ${SHORTEST_PASSWORD} characters: "openssl rand -base64 18" prints one`,
    );
  }
  return { path, password };
}

/** The page below its path, and everything else by `others`. */
export function withStatusPage(
  sessions: McpSessionRouting,
  { path, password }: StatusSettings,
  others: RequestListener,
): RequestListener {
  const page = sessions.statusPage({ auth: askFor(password) });
  return (req, res) => {
    const { url = '/' } = req;
    const [asked = ''] = url.split('?');
    if (!isUnder(asked, path)) {
      others(req, res);
      return;
    }
    const rest = url.slice(path.length);
    // As a framework would that has mounted the page there.
    req.url = rest.startsWith('/') ? rest : `/${rest}`;
    page(req as never, res as never, () => res.destroy());
  };
}

function isUnder(path: string, parent: string): boolean {
  return `${path}/`.startsWith(`${parent}/`);
}

/** Basic authentication (RFC 7617); the name of the user is not looked at. */
function askFor(password: string): StatusAuth {
  // Hashes have one length, which is what can be compared in constant time.
  const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = hashOf(password);
  return (req, res) => {
    if (timingSafeEqual(hashOf(passwordIn(req)), expected)) return true;
    res.setHeader('WWW-Authenticate', 'Basic realm="status", charset="UTF-8"');
    return false;
  };
}

function passwordIn({ headers }: IncomingMessage): string {
  const [, coded = ''] = /^Basic ([\w+/=-]+)$/i.exec(headers.authorization ?? '') ?? [];
  const given = Buffer.from(coded, 'base64').toString();
  return given.slice(given.indexOf(':') + 1);
}
