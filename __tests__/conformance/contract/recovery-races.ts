import { expect } from '@jest/globals';
import type { McpSessionRoutingOptions } from '../../../src/index.ts';
import { deferred } from '../../helpers/deferred.ts';
import { call, openSession, terminate } from '../../helpers/mcp-client.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import type { Rule } from './rule.ts';

const RECOVER: McpSessionRoutingOptions = { recover: true };

export const recoveryRaces: readonly Rule[] = [
  {
    id: 'C1',
    title: 'recover: a session that goes on elsewhere while its DELETE is on its way is over too',
    async run(env) {
      const { gw, a } = await env.routed(2, { options: RECOVER });
      const id = await openSession(gw);
      const goOn = deferred();
      a.answer = async ({ method }) => {
        if (method === 'DELETE') await goOn.promise;
        return false;
      };
      const deleted = terminate(gw, id).then(({ status }) => status);
      await a.hitWhere(({ method }) => method === 'DELETE');
      a.sessions.clear();
      await call(gw, id).expect(200);
      goOn.resolve();
      expect(await deleted).toBe(404);
      expectRefusal(await call(gw, id), 'session_ended', { id: '2' });
    },
  },
];
