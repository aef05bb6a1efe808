import { describe, expect, test } from '@jest/globals';
import { bodyParsers, reading } from '../../helpers/body-parsers.ts';
import { expressOf, gateway, type Gateway } from '../../helpers/gateway.ts';
import { INITIALIZE, initialize, ofSession, post, TOOLS_LIST } from '../../helpers/mcp-client.ts';
import { stacks } from '../../helpers/pairings.ts';
import { rawHttp, rawRequest } from '../../helpers/raw-http.ts';
import { expectRefusal } from '../../helpers/refusal.ts';
import { scriptedBackend, type Hit } from '../../helpers/scripted-backend.ts';

const BIG_ID = '12345678901234567890';
const FRENCH = '{"x":"\u00e9"}';

describe.each(stacks)('$name', ({ app: major, proxy }) => {
  describe.each(Object.entries(bodyParsers))('behind %s', (name, parserOf) => {
    async function behind(maxBodySize = 1024): Promise<Gateway> {
      const { origin: backends } = await scriptedBackend();
      const options = { backends, maxBodySize };
      return gateway({ express: major, proxy, options, before: reading(parserOf(major)) });
    }

    test('A5: initialize with an unknown id opens a session', async () => {
      const answer = await initialize(await behind(), { 'Mcp-Session-Id': 'never-issued' });
      expect([answer.status, answer.get('Mcp-Session-Id')]).toEqual([
        200,
        expect.stringMatching(/^b-/),
      ]);
    });

    test('A2: the refusal repeats the id byte for byte, where the bytes are still known', async () => {
      const body = TOOLS_LIST.replace('7', BIG_ID);
      const id = name === 'express.json()' ? undefined : BIG_ID;
      expectRefusal(await post(await behind(), body, ofSession('x')), 'unknown_session', { id });
    });

    test('A8: a body longer than maxBodySize that nobody has parsed decides nothing', async () => {
      const parsed = name.includes('json');
      const id = { 'Mcp-Session-Id': 'x' };
      const answer = await post(await behind(INITIALIZE.length - 1), INITIALIZE, id);
      expect(answer.status).toBe(parsed ? 200 : 400);
    });
  });

  /** What the backend gets of a body in a charset of its own. */
  async function sentIn(charset: string, body: Buffer, parser: 'json' | 'text'): Promise<Hit> {
    const backend = await scriptedBackend();
    const before = reading(expressOf(major)[parser]({ type: '*/*' }));
    const gw = await gateway({
      express: major,
      proxy,
      before,
      options: { backends: backend.origin },
    });
    const type = `Content-Type: application/json; charset=${charset}; v=1`;
    await rawHttp(gw.url, rawRequest('POST /mcp', [type, 'Connection: close'], body));
    return backend.hit(0);
  }

  test.each([
    ['text', 'iso-8859-1', 'latin1'],
    ['text', '"ISO-8859-1"', 'latin1'],
    ['text', 'utf-16le', 'utf16le'],
    ['json', 'utf-16le', 'utf16le'],
  ] as const)(
    'F2: a body that express.%s() has read is sent in the charset that its type names: %s',
    async (parser, charset, encoding) => {
      const { body, headers } = await sentIn(charset, Buffer.from(FRENCH, encoding), parser);
      expect(body.toString()).toBe(FRENCH);
      expect(headers['content-type']).toBe('application/json; charset=utf-8; v=1');
    },
  );

  test('F2: the type of a body that is in UTF-8 is left as it is', async () => {
    const { headers } = await sentIn('"UTF-8"', Buffer.from(FRENCH), 'text');
    expect(headers['content-type']).toBe('application/json; charset="UTF-8"; v=1');
  });
});
