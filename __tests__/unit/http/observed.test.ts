import { describe, expect, test } from '@jest/globals';
import { ResponseGate } from '../../../src/http/response-gate.ts';
import { until } from '../../helpers/until.ts';
import { received } from './received.ts';

/** An answer that is read while it is sent, up to 100 bytes. */
async function observed() {
  const { res, client } = await received(['POST /mcp HTTP/1.1', 'Host: x']);
  const state = { sent: '', read: [] as (string | undefined)[] };
  client.on('data', (bytes: Buffer) => (state.sent += bytes.toString('latin1')));
  const read = (body: Buffer | undefined): void => void state.read.push(body?.toString());
  const gate = new ResponseGate(
    res,
    () => ({ kind: 'observe', of: { maxBytes: 100 }, read }),
    undefined,
  );
  return { res, state, gate };
}

describe('A7: an answer that is read beside', () => {
  test('is not held until it is read', async () => {
    const { res, state } = await observed();
    res.write('half of');
    await until(() => state.sent.includes('half of'));
    expect(state.read).toEqual([]);
    res.end(' it');
    expect(state.read).toEqual(['half of it']);
    await until(() => state.sent.includes(' it'));
  });

  test('is not read to its end if it is too long', async () => {
    const { res, state } = await observed();
    res.write('x'.repeat(101));
    res.end('y');
    expect(state.read).toEqual([undefined]);
    await until(() => state.sent.includes('y'));
  });
});
