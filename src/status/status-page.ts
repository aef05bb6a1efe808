import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { isAdmitted } from './admission.ts';
import { BUTTONS, press } from './buttons.ts';
import { Feed } from './feed.ts';
import { checkStatusOptions, type StatusPageOptions } from './options.ts';
import { documentWith } from './page/document.ts';
import { isFromElsewhere } from './same-origin.ts';
import { say } from './say.ts';
import { snapshotOf, type GatewayName } from './snapshot.ts';
import type { StatusSource } from './status-source.ts';
import { Watchers } from './watchers.ts';

type Handler<Req, Res> = (req: Req, res: Res, next: (error?: unknown) => void) => void;

/** Nothing is kept, embedded, or read by others. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** The status pages of one middleware. Until the first one is made nothing is recorded for them. */
export class StatusPages {
  readonly #source: StatusSource;
  readonly #watchers: Watchers;
  readonly #gateway: GatewayName = {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    since: Date.now(),
  };
  #feed: Feed | undefined;

  constructor(source: StatusSource) {
    this.#source = source;
    this.#watchers = new Watchers({ snapshot: () => this.#snapshot() });
  }

  /** @throws {SessionRoutingError} `invalid_option` */
  page<Req extends IncomingMessage, Res extends ServerResponse>(
    options: StatusPageOptions<Req, Res>,
  ): Handler<Req, Res> {
    checkStatusOptions(options);
    const { auth } = options;
    this.#fed();
    const statusPage: Handler<Req, Res> = (req, res, next) => {
      for (const [name, value] of Object.entries(HEADERS)) res.setHeader(name, value);
      isAdmitted(auth, req, res)
        .then((admitted) => (admitted ? this.#answer(req, res) : undefined))
        .catch(next);
    };
    return statusPage;
  }

  /** Ends the event streams of the pages. */
  close(): void {
    this.#watchers.close();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path = ''] = (req.url ?? '').split('?');
    const name = path.slice(1);
    if (BUTTONS.includes(name)) {
      if (isAllowed(req, res, ['POST'])) await this.#press(name, req, res);
    } else if (name === 'events') {
      if (isAllowed(req, res, ['GET'])) this.#watch(req, res);
    } else if (name === '') {
      if (isAllowed(req, res, ['GET', 'HEAD'])) show(res);
    } else say(res, 404, 'There is no such page.');
  }

  async #press(button: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { id } = this.#gateway;
    const { status, text } = await press(button, req, { source: this.#source, gateway: id });
    if (status !== 204) {
      say(res, status, text);
      return;
    }
    res.writeHead(204).end();
    this.#watchers.tick();
  }

  #watch(req: IncomingMessage, res: ServerResponse): void {
    if (isFromElsewhere(req)) say(res, 403, 'Only the status page itself may watch.');
    else if (!this.#watchers.add(res))
      say(res, 503, 'There are too many watchers, or the gateway stops.', { 'Retry-After': '5' });
  }

  #snapshot(): unknown {
    return snapshotOf(this.#source, this.#fed(), { gateway: this.#gateway, at: Date.now() });
  }

  #fed(): Feed {
    if (!this.#feed) {
      const feed = new Feed(() => performance.now());
      this.#feed = feed;
      this.#source.observe({ decided: (request) => feed.note(request) });
    }
    return this.#feed;
  }
}

function isAllowed(req: IncomingMessage, res: ServerResponse, methods: readonly string[]): boolean {
  if (methods.includes(req.method ?? '')) return true;
  say(res, 405, 'This cannot be done here.', { Allow: methods.join(', ') });
  return false;
}

/** The page loads nothing, and runs nothing but its own script. */
function show(res: ServerResponse): void {
  const nonce = randomBytes(18).toString('base64');
  const own = `'nonce-${nonce}'`;
  res.setHeader(
    'Content-Security-Policy',
    [
      ...["default-src 'none'", "connect-src 'self'", 'img-src data:'],
      ...[`script-src ${own}`, `style-src ${own}`],
      ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ].join('; '),
  );
  const page = documentWith(nonce);
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(page));
  res.end(page);
}
