import { expect, test } from '@jest/globals';
import type { Express } from 'express';
import { gateway } from '../../helpers/gateway.ts';
import { call, openSession } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { scriptedBackend } from '../../helpers/scripted-backend.ts';
import { until } from '../../helpers/until.ts';

test.each(stacks.filter(({ app }) => app !== 'none'))(
  'F1: the response to a call of a session is left as the app knows it ($name)',
  async ({ app: express, proxy }) => {
    const wrapped: boolean[] = [];
    const before = (app: Express): unknown =>
      app.use((_req, res, next) => {
        res.on('finish', () => wrapped.push(Object.hasOwn(res, 'end')));
        next();
      });
    const backend = await scriptedBackend();
    const gw = await gateway({ express, proxy, before, options: { backends: backend.origin } });
    await call(gw, await openSession(gw)).expect(200);
    await until(() => wrapped.length === 2);
    // Only the one that opened the session had to wait for the store.
    expect(wrapped).toEqual([true, false]);
  },
);
