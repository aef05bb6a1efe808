import type { IncomingMessage, ServerResponse } from 'node:http';
import { Pool } from 'undici';

/** The least that forwards at all: what Express and undici cost without anything of this package. */
export function bareUndici(target: string): (req: IncomingMessage, res: ServerResponse) => void {
  const pool = new Pool(target, { connections: null });
  return (req, res) => {
    const headers = { ...req.headers };
    delete headers.connection;
    delete headers['keep-alive'];
    delete headers['transfer-encoding'];
    pool.dispatch(
      { path: req.url ?? '/', method: 'POST', headers, body: req },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, head) {
          const {
            connection: _one,
            'keep-alive': _two,
            'transfer-encoding': _three,
            ...rest
          } = head;
          res.writeHead(status, rest);
        },
        onResponseData(controller, chunk) {
          if (res.write(chunk)) return;
          controller.pause();
          res.once('drain', () => controller.resume());
        },
        onResponseEnd: () => void res.end(),
        onResponseError: () => void res.destroy(),
      },
    );
  };
}
