import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Snapshot } from '../../src/status/snapshot.ts';
import { onCleanup } from './cleanup.ts';

/** Where `gateway` of these tests has mounted the page. */
export const STATUS_PATH = '/_mcp';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks on a connection of its own. `fetch` would not send `Host`, `Origin` and `Sec-Fetch-Site` as they are given. */
export function ask(url: string, path: string, asking: Asking = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body = '' } = asking;
  return new Promise((resolve, reject) => {
    const req = http.request(new URL(path, url), { method, headers, agent: false });
    req.on('error', reject);
    req.on('response', (res) => {
      let text = '';
      res.on('error', reject);
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    req.end(body);
  });
}

export interface Watched {
  readonly res: IncomingMessage;
  /** The snapshots that have come. */
  readonly snapshots: Snapshot[];
  readonly latest: () => Snapshot;
  readonly closed: Promise<unknown>;
  readonly leave: () => void;
}

/** Opens the event stream of the page; resolves with its first snapshot. */
export function watch(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  path = `${STATUS_PATH}/events`,
): Promise<Watched> {
  return new Promise((resolve, reject) => {
    const req = http.get(new URL(path, url), { agent: false, headers });
    onCleanup(() => req.destroy());
    req.on('error', reject);
    req.on('response', (res) => {
      const snapshots: Snapshot[] = [];
      const closed = new Promise((done) => res.once('close', done));
      let text = '';
      const watched: Watched = {
        res,
        snapshots,
        latest: () => snapshots.at(-1) as Snapshot,
        closed,
        leave: () => void req.destroy(),
      };
      res.on('error', () => {});
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        const events = parts.filter((part) => part.startsWith('data: '));
        snapshots.push(...events.map((event) => JSON.parse(event.slice(6)) as Snapshot));
        if (snapshots.length > 0) resolve(watched);
      });
      void closed.then(() => reject(new Error(`no snapshot, status ${res.statusCode}`)));
    });
  });
}

/** What the script of the page sends when a button is pressed. */
export function pressing(
  url: string,
  backend: string,
  gateway: string,
): { method: 'POST'; headers: Record<string, string>; body: string } {
  return {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'MCP-Status-Gateway': gateway,
      Origin: url,
      'Sec-Fetch-Site': 'same-origin',
    },
    body: JSON.stringify({ url: backend }),
  };
}
