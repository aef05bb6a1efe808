import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { INITIALIZE, openSession } from '../helpers/mcp-client.ts';
import { type RawConnection, rawConnection, rawHttp, rawRequest } from '../helpers/raw-http.ts';
import { sessionLines } from '../helpers/raw-mcp.ts';
import { until } from '../helpers/until.ts';
import type { Asked, ExpectedAnswer, HostileAnswer } from './answers/answer.ts';
import { TOOLS_LIST } from './inputs/input.ts';
import { headerOf } from './raw-backend.ts';
import {
  arrivalsIn,
  askHonestly,
  honestRequest,
  inScene,
  type Scene,
  UnexpectedHits,
} from './scene.ts';
import { type Message, readAnswers } from './strict-http.ts';

/** Tells the request that is answered in a hostile way. */
const MARK = 'x-marked';

/** Lets B answer so; throws unless the client got what the row says, and nobody else got anything of it. */
export async function suffer(
  scene: Scene,
  answer: HostileAnswer,
  expected: ExpectedAnswer,
): Promise<void> {
  const { a, b, gw, stranger } = scene;
  for (const backend of [a, b]) backend.forget();
  const mine = await openSession(gw);
  const inRow = (text: string): string => inScene(text.replaceAll('{mine}', mine), scene);
  const mark = randomUUID();
  const connections: Socket[] = [];
  b.answer = (request, socket) => {
    if (headerOf(request, MARK) !== mark || connections.length > 0) return undefined;
    connections.push(socket);
    send(socket, inRow(answer.bytes), answer.then);
    return '';
  };

  const client = await rawConnection(gw.url);
  const toHead = answer.to === 'head';
  client.write(requestOf(answer.to ?? 'call', mine, `${MARK}: ${mark}`));
  await answered(client, toHead);
  if (answer.late !== undefined) {
    for (const socket of connections) socket.write(inRow(answer.late), 'latin1');
    // All ends of the connections are in this process: now the gateway has read it.
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }
  const next = honestRequest();
  client.write(next.bytes);
  await client.closed;
  // Twice, since the connection that was answered on may not be the first that is used again.
  for (let round = 0; round < 2; round += 1) await askHonestly(scene);

  const asked = arrivalsIn(scene).filter((each) => headerOf(each, MARK) === mark);
  const errors = [a, b].flatMap((backend) => backend.errors);
  if (asked.length !== 1 || errors.length > 0)
    throw new UnexpectedHits(`${asked.length} requests in place of one ${errors.join(', ')}`);
  expect(stranger.connections).toBe(0);
  const answers = readAnswers(client.text, toHead);
  expectAnswers(answers, expected, inRow, next.nonce);
  expect(await isLive(scene, mine)).toBe(expected.ends !== true);
  await expectUnknown(scene, inRow(answer.bytes.replaceAll('{mine}', '')), answers);
}

function send(socket: Socket, bytes: string, then: HostileAnswer['then']): void {
  if (then === 'ends') socket.end(bytes, 'latin1');
  else socket.write(bytes, 'latin1', () => then === 'resets' && socket.resetAndDestroy());
}

function requestOf(asked: Asked, session: string, mark: string): Buffer {
  const lines = [...sessionLines(session), mark];
  switch (asked) {
    case 'opening':
      return rawRequest('POST /mcp', [mark], INITIALIZE);
    case 'free':
      return rawRequest('POST /mcp', [mark], TOOLS_LIST);
    case 'call':
      return rawRequest('POST /mcp', lines, TOOLS_LIST);
    case 'listen':
      return rawRequest('GET /mcp', [...lines, 'Accept: text/event-stream']);
    case 'head':
      return rawRequest('HEAD /mcp', lines);
    case 'delete':
      return rawRequest('DELETE /mcp', lines);
  }
}

/** Waits for the end of the answer, or of the connection. */
async function answered(client: RawConnection, toHead: boolean): Promise<void> {
  let closed = false;
  void client.closed.then(() => (closed = true));
  await until(() => closed || isAnswered(client.text, toHead));
}

function isAnswered(text: string, toHead: boolean): boolean {
  try {
    return readAnswers(text, toHead).some((answer) => statusOf(answer) >= 200 && answer.complete);
  } catch {
    // Told below.
    return true;
  }
}

const statusOf = ({ start }: Message): number => Number(start.split(' ')[1]);

function expectAnswers(
  answers: readonly Message[],
  expected: ExpectedAnswer,
  inRow: (text: string) => string,
  nonce: string,
): void {
  const { status, reason, sees = {}, hidden = [], body } = expected;
  if (status === 'broken') {
    // Its head may not be out yet.
    expect(answers.length).toBeLessThan(2);
    for (const { complete } of answers) expect(complete).toBe(false);
    return;
  }
  const mine = answers.filter((answer) => !answer.body.includes(nonce));
  expect(mine.map(statusOf)).toEqual([status].flat());
  expect(answers.slice(mine.length).map(statusOf)).toEqual(
    answers.length > mine.length ? [200] : [],
  );
  const last = mine.at(-1);
  if (!last) throw new Error('no answer');
  expect(last.complete).toBe(true);
  expect(/"reason":"(\w+)"/.exec(last.body)?.[1]).toBe(reason);
  if (body !== undefined) expect(last.body).toBe(body);
  for (const [name, value] of Object.entries(sees)) {
    const values = last.headers.flatMap(([each, sent]) => (each === name ? [sent] : []));
    expect([name, ...values]).toEqual([name, inRow(value)]);
  }
  for (const name of [...hidden, ...('mcp-session-id' in sees ? [] : ['mcp-session-id'])])
    expect([name, headerOf(last, name)]).toEqual([name, undefined]);
}

async function isLive({ gw }: Scene, session: string): Promise<boolean> {
  const { nonce, bytes } = honestRequest(session);
  return (await rawHttp(gw.url, bytes)).includes(nonce);
}

/** Ids that the answer has named and its client has not got are those of no session. */
async function expectUnknown(
  scene: Scene,
  bytes: string,
  answers: readonly Message[],
): Promise<void> {
  const { live, other } = scene;
  const got = new Set(answers.map((answer) => headerOf(answer, 'mcp-session-id')));
  for (const [, id = ''] of bytes.matchAll(/mcp-session-id: ?([\x21-\x7e]{1,1024})\r\n/gi)) {
    if (id === live || id === other) continue;
    expect([id, await isLive(scene, id)]).toEqual([id, got.has(id)]);
  }
}
