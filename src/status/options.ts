import type { IncomingMessage, ServerResponse } from 'node:http';
import { isObject, shown, strayOf } from '../given.ts';
import { SessionRoutingError } from '../protocol/errors.ts';

/**
 * Whether a request may see the page, and use its buttons: only `true` lets it in. It may set `WWW-Authenticate`, which
 * makes the refusal a 401, or answer by itself, by a redirect for instance.
 */
export type StatusAuth<
  Req extends IncomingMessage = IncomingMessage,
  Res extends ServerResponse = ServerResponse,
> = (req: Req, res: Res) => boolean | Promise<boolean>;

/** Options of `statusPage`. */
export interface StatusPageOptions<
  Req extends IncomingMessage = IncomingMessage,
  Res extends ServerResponse = ServerResponse,
> {
  /**
   * Who may see the page and use its buttons; asked for each request, and at least every 15 minutes. `false`:
   * everybody who gets to it.
   * @example (req) => req.session.user?.isOperator === true
   */
  readonly auth: StatusAuth<Req, Res> | false;
}

/** Checks the options when the page is made. @throws {SessionRoutingError} `invalid_option` */
export function checkStatusOptions(given: unknown = {}): void {
  if (!isObject(given)) throw invalid('the options must be an object, such as { auth }');
  const stray = strayOf(given, ['auth']);
  if (stray) throw invalid(`option "${stray.name}" ${stray.remedy}`);
  const auth: unknown = Reflect.get(given, 'auth');
  if (auth === false) return;
  if (auth === undefined) {
    throw invalid(
      'option "auth" is missing: give a function (req, res) => boolean, or write auth: false if nobody else can get to the page',
    );
  }
  if (typeof auth !== 'function')
    throw invalid(`option "auth": ${shown(auth)} must be a function, or false`);
  if (auth.length > 2) {
    throw invalid(
      'option "auth" is a middleware, and must be a function (req, res) => boolean: mount the middleware before the page, and write auth: false',
    );
  }
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `statusPage: ${problem}`);
}
