import type { ServerResponse } from 'node:http';
import { settleRequest } from '../http/answer.ts';

/** Answers in plain text, and does not wait for what is left of a body. */
export function say(
  res: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  settleRequest(res.req, res);
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(text);
}
