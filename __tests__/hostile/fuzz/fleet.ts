import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { listen, type Listening } from '../../helpers/listen.ts';
import { answerWrongly, ENDING, type Wrong } from './answers.ts';
import { markIn } from './marks.ts';
import type { Oracle } from './oracle.ts';

/** The backends, which run in this process, so that their logs are at hand. */
export interface Fleet {
  readonly names: readonly string[];
  readonly origins: readonly string[];
  /** Answers the request with this mark in another way than it should. */
  spoil(mark: string, wrong: Wrong): void;
  /** The body that the request with this mark has to arrive with. */
  expectBody(mark: string, body: string): void;
  /** The round of the mark is over. */
  forget(mark: string): void;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly oracle: Oracle;
  readonly newId: (backend: string) => string;
  readonly complain: (problem: string, round?: number) => void;
}

const NAMES = ['a', 'b', 'c'];

export async function startFleet({ oracle, newId, complain }: FleetOptions): Promise<Fleet> {
  const wrongs = new Map<string, Wrong>();
  const bodies = new Map<string, string>();
  const servers = await Promise.all(NAMES.map(start));
  return {
    names: NAMES,
    origins: servers.map(({ origin }) => origin),
    spoil: (mark, wrong) => void wrongs.set(mark, wrong),
    expectBody: (mark, body) => void bodies.set(mark, body),
    forget(mark) {
      wrongs.delete(mark);
      bodies.delete(mark);
    },
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };

  function start(name: string): Promise<Listening> {
    const sessions = new Set<string>();
    const server = http.createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
      req.on('error', () => {});
      res.on('error', () => {});
      const { method = '', url = '', rawHeaders } = req;
      const ofClient = oracle.hit({ backend: name, method, url, rawHeaders });
      const id = req.headers['mcp-session-id']?.toString();
      const at = markIn(url);
      const wrong = ofClient && at ? wrongs.get(at.mark) : undefined;
      // What the gateway asks for itself is no reason for a live session to end.
      const mayEnd = (ofClient && method === 'DELETE') || (wrong && ENDING.has(wrong.kind));
      if (id !== undefined && mayEnd) {
        res.once('close', oracle.doubt(id));
      }
      if (!wrong) {
        readBody(req, (body) => {
          const expected = (at && ofClient ? bodies.get(at.mark) : undefined) ?? body;
          if (expected !== body)
            complain(`${name} got another body than was sent: ${body}`, at?.round);
          behave(req, res, body);
        });
        return;
      }
      offer(wrong, at?.round ?? 0);
      if (wrong.kind === 'not read') answerWrongly(wrong, req, res);
      else readBody(req, () => answerWrongly(wrong, req, res));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // A request that breaks off is none that was spoilt on the way.
      const spoilt = error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE';
      if (spoilt) complain(`${name} got bytes that are no request: ${error.code} ${error.message}`);
      socket.destroy();
    });
    server.on('upgrade', (req, socket) => {
      complain(`${name} got an upgrade: ${req.url}`);
      socket.destroy();
    });
    return listen(server);

    function offer({ foreign, kind }: Wrong, round: number): void {
      // What the gateway may ask this backend to forget.
      oracle.offered(foreign, name, round);
      const opens = kind === 'foreign id' || kind === 'garbage' || kind === 'stream';
      if (opens && !oracle.session(foreign)) oracle.opened(foreign, name, round);
    }

    function behave(req: IncomingMessage, res: ServerResponse, body: string): void {
      const id = req.headers['mcp-session-id']?.toString();
      const opens = /"method":"initialize"/.test(body) && req.method === 'POST' && id === undefined;
      if (opens) {
        const opened = newId(name);
        sessions.add(opened);
        res.setHeader('Mcp-Session-Id', opened);
        reply(res, 200, name);
      } else if (id === undefined) reply(res, 200, name);
      else if (!sessions.has(id)) reply(res, 404, name);
      else if (req.method === 'DELETE') {
        sessions.delete(id);
        res.writeHead(200).end();
      } else if (req.method === 'GET') {
        res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': id });
        res.write(': open\n\n');
      } else reply(res.setHeader('Mcp-Session-Id', id), 200, name);
    }
  }
}

function reply(res: ServerResponse, status: number, name: string): void {
  const outcome =
    status === 200 ? { result: { of: name } } : { error: { code: -32001, message: name } };
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...outcome }));
}

function readBody(req: IncomingMessage, then: (body: string) => void): void {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => then(Buffer.concat(parts).toString()));
}
