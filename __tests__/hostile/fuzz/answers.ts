import type { IncomingMessage, ServerResponse } from 'node:http';
import { mutateBytes } from './mutations.ts';
import type { Random } from './random.ts';

/** How a backend answers where it does not do what it should. */
export const WRONG_ANSWERS = [
  ...(['foreign id', 'bad id', 'two ids', 'id of an error', 'cut', 'reset', 'garbage'] as const),
  ...(['redirect', 'not found', 'lost', 'unparseable', 'stream', 'hints', 'upgrade'] as const),
  ...(['body of none', 'hop', 'not read', 'reason'] as const),
] as const;

export type WrongAnswer = (typeof WRONG_ANSWERS)[number];

/** Those that may end the session they are given to. */
export const ENDING: ReadonlySet<WrongAnswer> = new Set([
  ...(['not found', 'lost', 'unparseable', 'garbage'] as const),
]);

export interface Wrong {
  readonly kind: WrongAnswer;
  /** A session id that is not this backend's to give. */
  readonly foreign: string;
  readonly random: Random;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const RESULT = '{"jsonrpc":"2.0","id":1,"result":{}}';

export function answerWrongly(
  { kind, foreign, random }: Wrong,
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const { socket } = res;
  switch (kind) {
    case 'foreign id':
      res.writeHead(200, { ...JSON_TYPE, 'Mcp-Session-Id': foreign }).end(RESULT);
      return;
    case 'bad id': {
      const id = random.pick(['', 'a b', 'x'.repeat(1025), '\u00e9', 'a\tb', `${foreign} x`]);
      res.writeHead(200, { ...JSON_TYPE, 'Mcp-Session-Id': id }).end(RESULT);
      return;
    }
    case 'two ids':
      res.writeHead(200, { ...JSON_TYPE, 'Mcp-Session-Id': [foreign, `${foreign}2`] }).end(RESULT);
      return;
    case 'id of an error':
      res.writeHead(random.pick([400, 401, 404, 500, 503]), {
        ...JSON_TYPE,
        'Mcp-Session-Id': foreign,
      });
      res.end('{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}');
      return;
    case 'cut':
      res.writeHead(200, { ...JSON_TYPE, 'Content-Length': '999' });
      res.write(RESULT, () => socket?.destroy());
      return;
    case 'reset':
      socket?.resetAndDestroy();
      return;
    case 'garbage': {
      const head = `HTTP/1.1 200 OK\r\nMcp-Session-Id: ${foreign}\r\nContent-Length: ${RESULT.length}`;
      socket?.end(mutateBytes(Buffer.from(`${head}\r\n\r\n${RESULT}`), random));
      return;
    }
    case 'redirect':
      res.writeHead(307, { Location: 'http://elsewhere.invalid/mcp' }).end();
      return;
    case 'not found':
      res.writeHead(404, JSON_TYPE).end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"x"}}');
      return;
    case 'lost':
      res
        .writeHead(400, JSON_TYPE)
        .end(
          random.pick([
            '{"error":{"message":"Server not initialized"}}',
            'No valid session ID provided',
          ]),
        );
      return;
    case 'unparseable':
      res.writeHead(random.pick([200, 400, 404, 500]), { 'Content-Encoding': 'gzip' }).end('{"');
      return;
    case 'stream':
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Mcp-Session-Id': foreign });
      res.end('\r\r\n: \n\ndata: {"method"\n\nevent: endpoint\ndata: /m?sessionId=x\n\n\0');
      return;
    case 'hints':
      res.writeProcessing();
      socket?.write('HTTP/1.1 103 Early\r\nLink: <a>;b\r\nMcp-Session-Id: hint\r\n\r\n');
      res.writeHead(200, JSON_TYPE).end(RESULT);
      return;
    case 'upgrade':
      socket?.write('HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\0\0');
      return;
    case 'body of none':
      socket?.end(`HTTP/1.1 ${random.pick([204, 304, 200])} -\r\nContent-Length: 5\r\n\r\nabcde`);
      return;
    case 'hop':
      res.writeHead(200, {
        ...JSON_TYPE,
        Connection: 'X-Hop, Mcp-Session-Id',
        'X-Hop': 'a',
        'Keep-Alive': 'timeout=0',
        'Proxy-Authenticate': 'x',
      });
      res.end(RESULT);
      return;
    case 'not read':
      req.pause();
      res.writeHead(200, { ...JSON_TYPE, Connection: 'close' }).end(RESULT);
      return;
    case 'reason':
      socket?.end('HTTP/1.1 200 \x01\xff\r\nX: \xff\r\nContent-Length: 2\r\n\r\n{}', 'latin1');
  }
}
