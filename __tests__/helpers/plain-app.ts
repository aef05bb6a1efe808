import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

type Next = (error?: unknown) => void;
type Handler = (...args: unknown[]) => unknown;

interface Step {
  readonly matches: (method: string | undefined, path: string) => boolean;
  readonly handler: Handler;
}

/** No framework: a listener of `node:http` that calls one function after the other, in as many words of Express. */
export function plainApp(): Express {
  const steps: Step[] = [];
  const add =
    (method?: string) =>
    (first: unknown, ...rest: Handler[]): void => {
      const anywhere = typeof first === 'function';
      for (const handler of anywhere ? [first as Handler, ...rest] : rest) {
        steps.push({
          handler,
          matches: (asked, path) =>
            (method === undefined || method === asked) &&
            (anywhere || path === first || path.startsWith(`${String(first)}/`)),
        });
      }
    };

  function listener(req: IncomingMessage, res: ServerResponse): void {
    const [path = ''] = (req.url ?? '').replace(/^http:\/\/[^/]*/i, '').split('?');
    const run = (at: number, error?: unknown): void => {
      const step = steps[at];
      const next: Next = (failed) => run(at + 1, failed);
      if (!step) {
        res.statusCode =
          error === undefined ? 404 : Number(Reflect.get(Object(error), 'status') ?? 500);
        res.end();
      } else if (!step.matches(req.method, path) || step.handler.length > 3 !== Boolean(error)) {
        run(at + 1, error);
      } else {
        try {
          const done = error ? step.handler(error, req, res, next) : step.handler(req, res, next);
          if (done instanceof Promise) done.catch(next);
        } catch (thrown) {
          next(thrown);
        }
      }
    };
    run(0);
  }

  const methods = { use: add(), all: add(), get: add('GET'), post: add('POST'), set: () => {} };
  return Object.assign(listener, methods) as unknown as Express;
}
