import type { IncomingMessage, ServerResponse } from 'node:http';
import { SESSION_HEADER } from '../protocol/session-id.ts';
import type { PinnedRoute } from '../routing/route.ts';
import { askBackend } from './ask-backend.ts';
import type { RequestLine } from './forget-at-backend.ts';
import { withoutHopByHop } from './hop-by-hop.ts';

/** Sends a request again, that was not executed, to where its session is now. @throws as `askBackend` */
export async function resend(
  req: IncomingMessage,
  res: ServerResponse,
  route: PinnedRoute,
  line: RequestLine & { readonly url: string; readonly body: Buffer | undefined },
): Promise<IncomingMessage> {
  const { url, body, ...rest } = line;
  const headers = { ...withoutHopByHop(req.headers), ...callIt(route) };
  delete headers['transfer-encoding'];
  delete headers.expect;
  const left = new AbortController();
  res.once('close', () => left.abort());
  const answer = await askBackend(url, {
    ...{ ...rest, body, signal: left.signal, method: req.method ?? 'GET' },
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
