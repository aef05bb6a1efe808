import type { IncomingMessage, ServerResponse } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { PinnedRoute } from '../routing/route.ts';
import { askBackend } from './ask-backend.ts';
import { withoutHopByHop } from './hop-by-hop.ts';

/** How a request was sent the first time. */
export interface RequestLine {
  /** Path and query. */
  readonly path: string;
  /** Whether a certificate that nobody has signed is refused. */
  readonly secure: boolean;
}

/** Sends a request again, that was not executed, to where its session is now. @throws as `askBackend` */
export async function resend(
  req: IncomingMessage,
  res: ServerResponse,
  route: PinnedRoute,
  line: RequestLine & { readonly url: string; readonly body: Buffer | undefined },
): Promise<IncomingMessage> {
  const { url, body, path, secure } = line;
  const headers = { ...withoutHopByHop(req.headers), ...callIt(route) };
  delete headers['transfer-encoding'];
  delete headers.expect;
  const left = new AbortController();
  res.once('close', () => left.abort());
  const answer = await askBackend(url, {
    ...{ path, body, secure, signal: left.signal, method: req.method ?? 'GET' },
    headers: { ...headers, ...(body && { 'content-length': body.length }) },
  });
  if (answer.headers[SESSION_HEADER] === route.backendSession) {
    if (route.backendSession !== undefined) answer.headers[SESSION_HEADER] = route.id;
  } else {
    delete answer.headers[SESSION_HEADER];
  }
  return answer;
}

function callIt({ id, backendSession }: PinnedRoute): Record<string, string> {
  return { [SESSION_HEADER]: backendSession ?? id };
}
