import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type RawConnection, rawConnection } from '../helpers/raw-http.ts';
import { until } from '../helpers/until.ts';
import { type Expected, type Hit, type Input, TOOLS_LIST } from './inputs/input.ts';
import { headerOf } from './raw-backend.ts';
import {
  type Arrival,
  arrivalsIn,
  askHonestly,
  honestRequest,
  inScene,
  type Scene,
  UnexpectedHits,
} from './scene.ts';
import { readAnswers } from './strict-http.ts';

/** Sends the input; throws unless all came as the row says, at the client and at the backends. */
export async function attack(scene: Scene, input: Input, expected: Expected): Promise<void> {
  const { a, b, gw } = scene;
  for (const backend of [a, b]) backend.forget();
  const bytes = bytesOf(input, scene);
  const client = await rawConnection(gw.url);
  const nonce = await converse(scene, client, { ...input, bytes }, expected);
  await askHonestly(scene);
  const { or } = input;
  if (or && client.text.startsWith(`HTTP/1.1 ${String(or.status)} `)) {
    compare(scene, input, or, { text: client.text, nonce: undefined, toHead: false });
    return;
  }
  compare(scene, input, expected, {
    text: client.text,
    nonce,
    toHead: bytes.startsWith('HEAD '),
  });
}

/** What no refusal tells (G1). */
function secretsOf({ live, other, ended, a, b }: Scene): string[] {
  return [live, other, ended, a.host, b.host];
}

/** What the client has got. */
interface Got {
  readonly text: string;
  /** Of its next request, if that is to be answered. */
  readonly nonce: string | undefined;
  readonly toHead: boolean;
}

function compare(scene: Scene, input: Input, expected: Expected, got: Got): void {
  const hits = expected.hits.map((hit) => ({ body: bodyOf(input), ...hit }));
  expectHits(arrivalsIn(scene), hits, scene);
  expect(scene.stranger.connections).toBe(0);
  expectAnswers(expected, got);
  if (expected.reason)
    for (const secret of secretsOf(scene)) expect(got.text).not.toContain(secret);
}

/** Writes the input and waits for the end of it; returns the nonce of the request that came next on the connection. */
async function converse(
  scene: Scene,
  client: RawConnection,
  { bytes = '', trickled }: Input,
  { status, then = 'goes on', hits }: Expected,
): Promise<string | undefined> {
  if (trickled) {
    for (const byte of Buffer.from(bytes, 'latin1')) {
      client.write(Buffer.of(byte));
      await turn();
    }
  } else {
    client.write(Buffer.from(bytes, 'latin1'));
  }
  // One that is closed before has not answered as it should, which is told below.
  const answers = new RegExp(`(?:HTTP/1\\.1 \\d{3} [^]*){${[status].flat().length}}`);
  await client.until(answers).catch(() => {});
  if (then === 'waits') {
    await until(() => arrivalsIn(scene).length >= hits.length);
    client.reset();
    return undefined;
  }
  const next = then === 'goes on' ? honestRequest() : undefined;
  if (next) client.write(next.bytes);
  await client.closed;
  return next?.nonce;
}

function bytesOf(input: Input, scene: Scene): string {
  const { line = 'POST /mcp HTTP/1.1', head = [], bytes } = input;
  if (bytes !== undefined) return inScene(bytes, scene);
  const body = inScene(bodyOf(input), scene);
  const has = (name: RegExp): boolean => head.some((each) => name.test(each));
  const lines = [
    line,
    ...(has(/^host\s*:/i) ? [] : ['Host: gateway']),
    ...head,
    ...(body === '' || has(/^(content-length|transfer-encoding)\s*:/i)
      ? []
      : [`Content-Length: ${body.length}`]),
  ];
  const text = inScene(`${lines.join('\r\n')}\r\n\r\n`, scene);
  return text.replaceAll('{length}', String(body.length)) + body;
}

function bodyOf({ line = 'POST', body, bytes }: Input): string {
  return body ?? (line.startsWith('POST') && bytes === undefined ? TOOLS_LIST : '');
}

function expectHits(arrivals: readonly Arrival[], hits: readonly Hit[], scene: Scene): void {
  for (const { name, errors } of [scene.a, scene.b])
    if (errors.length > 0) throw new UnexpectedHits(`${name} was sent ${errors.join(', ')}`);
  const left = [...arrivals];
  for (const hit of hits) {
    const line = `${inScene(hit.line ?? 'POST /mcp', scene)} HTTP/1.1`;
    const found = left.findIndex(
      ({ start, at }) => start === line && (hit.at === 'either' || hit.at === at),
    );
    const [arrival] = found === -1 ? [] : left.splice(found, 1);
    if (arrival) expectHit(arrival, hit, scene);
    else if (!hit.cut)
      throw new UnexpectedHits(
        `${hit.at}: not ${line}, but ${left.map(({ at, start }) => `${at}: ${start}`).join(', ')}`,
      );
  }
  const unexpected = left.map(({ at, start }) => `${at}: ${start}`);
  if (unexpected.length > 0) throw new UnexpectedHits(unexpected.join(', '));
}

function expectHit(arrival: Arrival, hit: Hit, scene: Scene): void {
  const { sees = {}, hidden = [], cut = false } = hit;
  const body = inScene(hit.body ?? '', scene);
  if (cut !== 'perhaps') expect(arrival.complete).toBe(!cut);
  expect(arrival.body).toBe(arrival.complete ? body : body.slice(0, arrival.body.length));
  for (const [name, value] of Object.entries(sees)) {
    const values = arrival.headers.flatMap(([each, sent]) => (each === name ? [sent] : []));
    expect([name, ...values]).toEqual([name, inScene(value, scene)]);
  }
  for (const name of hidden) expect([name, headerOf(arrival, name)]).toEqual([name, undefined]);
}

function expectAnswers(
  { status, reason, echoes, opens, then }: Expected,
  { text, nonce, toHead }: Got,
): void {
  const answers = readAnswers(text, toHead);
  const statuses = answers.map(({ start }) => Number(start.split(' ')[1]));
  const next = nonce === undefined ? [] : [200];
  expect(statuses).toEqual([[status].flat(), next].flat());
  if (nonce !== undefined) expect(answers.pop()?.body).toContain(nonce);
  const last = answers.at(-1);
  expect(/"reason":"(\w+)"/.exec(last?.body ?? '')?.[1]).toBe(reason);
  if (reason) expect(/,"id":(.*)}$/.exec(last?.body ?? '')?.[1]).toBe(echoes);
  if (last && then === 'closes') expect(headerOf(last, 'connection')).toBe('close');
  for (const answer of answers)
    expect(headerOf(answer, 'mcp-session-id') !== undefined).toBe(opens === true);
}
