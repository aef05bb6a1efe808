import type { IncomingMessage, ServerResponse } from 'node:http';
import { warn } from '../store/user-code.ts';
import type { StatusAuth } from './options.ts';
import { say } from './say.ts';

/**
 * Whether the request is let in; it is answered if it is not. What fails, or says anything but `true`, lets nobody in.
 */
export async function isAdmitted<Req extends IncomingMessage, Res extends ServerResponse>(
  auth: StatusAuth<Req, Res> | false,
  req: Req,
  res: Res,
): Promise<boolean> {
  if (auth === false) return true;
  try {
    const admitted: unknown = await auth(req, res);
    // It may have answered by itself, with a redirect for instance.
    if (res.headersSent || res.destroyed) return false;
    if (admitted === true) return true;
  } catch (error) {
    warn(error);
    if (!res.headersSent) say(res, 500, 'It could not be told who you are.');
    // It has begun to answer, and nobody else will end that.
    else if (!res.writableEnded) res.destroy();
    return false;
  }
  say(res, res.hasHeader('WWW-Authenticate') ? 401 : 403, 'This page is not for you.');
  return false;
}
