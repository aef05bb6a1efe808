import type { Express, RequestHandler } from 'express';
import { expressOf, type AppKind } from './gateway.ts';

const ANY = { type: '*/*' };

/** What may have read a body before the middleware sees the request, by name. */
export const bodyParsers: Readonly<Record<string, (major: AppKind) => RequestHandler>> = {
  'express.json()': (major) => expressOf(major).json(ANY),
  'express.text()': (major) => expressOf(major).text(ANY),
  'express.raw()': (major) => expressOf(major).raw(ANY),
  'express.json() that keeps the bytes': (major) =>
    expressOf(major).json({
      ...ANY,
      verify: (req: object, _res, bytes) => void Object.assign(req, { rawBody: bytes }),
    }),
};

/** Mounts a parser. */
export function reading(parser: RequestHandler): (app: Express) => unknown {
  return (app) => app.use(parser);
}
