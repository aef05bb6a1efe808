import { WRONG_ANSWERS, type WrongAnswer } from './answers.ts';
import { ask, headsIn, write, type Answered } from './client.ts';
import type { Fleet } from './fleet.ts';
import { markOf } from './marks.ts';
import { mutateBytes, mutateShape } from './mutations.ts';
import type { Oracle } from './oracle.ts';
import { Random } from './random.ts';
import { bytesOf, honestRequest, split, validShape, type Ids } from './shapes.ts';

export interface LaneOptions {
  readonly seed: number;
  readonly port: number;
  readonly oracle: Oracle;
  readonly fleet: Fleet;
  readonly complain: (problem: string, round: number) => void;
  /** Told of the bytes of a round before they are sent. */
  readonly sending: (round: number, bytes: Buffer) => void;
}

/** Sessions that are kept open. */
const LIVE = 3;
/** After so many rounds all sessions are asked for honestly. */
const HONEST = 8;
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}';
const INITIALIZE = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';

interface Request {
  readonly bytes: Buffer;
  /** Of one that was not spoilt. */
  readonly body: string | undefined;
}

/** Rounds that follow each other, with sessions that no other lane uses. */
export class Lane implements Ids {
  live: string[] = [];
  readonly ended: string[] = [];
  readonly #options: LaneOptions;
  #rounds = 0;
  #asked = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  async round(round: number, others: readonly Lane[]): Promise<void> {
    const { seed, port, oracle, fleet, complain, sending } = this.#options;
    this.#asked = 0;
    await this.#replenish(round);
    const random = new Random(seed, round);
    const marks = [markOf(round, 0), ...(random.chance(0.12) ? [markOf(round, 1)] : [])];
    const requests = marks.map((mark) => this.#request(random, mark));
    const bytes = Buffer.concat(requests.map((request) => request.bytes));
    // Behind a stream that stays open no answer comes.
    const body = marks.length === 1 ? requests[0]?.body : undefined;
    const complete = body !== undefined;
    if (complete) fleet.expectBody(markOf(round, 0), body);
    const kind = random.chance(0.35) ? random.pick(WRONG_ANSWERS) : undefined;
    const foreign = this.#foreignId(random, others, round);
    // Of two answers one is what it should be, so that the other one can be found.
    if (kind) fleet.spoil(markOf(round, 0), { kind, foreign, random: new Random(seed, round, 1) });
    sending(round, bytes);
    oracle.sends(bytes, marks);
    const leaves = random.chance(0.12);
    const { text, silent } = await write(port, {
      parts: split(leaves ? bytes.subarray(0, random.below(bytes.length)) : bytes, random),
      abort: leaves ? random.pick(['reset', 'end']) : undefined,
      ...{ answers: marks.length, complete },
    });
    if (complete && silent && !leaves) complain(`nothing came back: ${kind}`, round);
    this.#lookAtAnswer(text, { marks, kind, round, bytes });
    for (const mark of marks) fleet.forget(mark);
    for (const id of this.live.filter((each) => oracle.session(each)?.doubtful)) {
      await this.#askFor(id, round);
    }
    this.#rounds += 1;
    if (this.#rounds % HONEST === 0) await this.#askHonestly(random, round);
    if (text !== '' && !text.startsWith('HTTP/1.1 '))
      complain(`the client got what is no answer: ${JSON.stringify(text.slice(0, 300))}`, round);
  }

  #request(random: Random, mark: string): Request {
    const shape = validShape(random, this, mark);
    const way = random.next();
    if (way > 0.15 && way < 0.75) mutateShape(shape, random, this);
    const bytes = bytesOf(shape);
    return {
      bytes: way > 0.6 ? mutateBytes(bytes, random) : bytes,
      body: way > 0.15 ? undefined : shape.body,
    };
  }

  #foreignId(random: Random, others: readonly Lane[], round: number): string {
    const ids = others.flatMap(({ live, ended }) => [...live, ...ended]);
    return (random.chance(0.8) ? random.maybe(ids) : undefined) ?? `f-${round}`;
  }

  #lookAtAnswer(
    text: string,
    at: {
      readonly marks: readonly string[];
      readonly kind: WrongAnswer | undefined;
      readonly round: number;
      readonly bytes: Buffer;
    },
  ): void {
    const { oracle, fleet, complain } = this.#options;
    const { marks, kind, round, bytes } = at;
    for (const head of headsIn(text)) {
      for (const [, id = ''] of head.matchAll(/^mcp-session-id:[ \t]*(.*?)[ \t]*$/gim)) {
        const isOfGarbage = kind === 'garbage' && !oracle.session(id) && /^[!-~]{1,1024}$/.test(id);
        if (!isOfGarbage && !oracle.mayTell(id, marks, round, bytes))
          complain(
            `the client was given ${JSON.stringify(id)}, which is not for it: ${kind}`,
            round,
          );
      }
    }
    const address = fleet.origins.find((origin) => text.includes(new URL(origin).host));
    if (address !== undefined) complain(`the client was told of ${address}`, round);
  }

  /** All that an honest client relies on still holds. */
  async #askHonestly(random: Random, round: number): Promise<void> {
    for (const id of this.live.slice()) await this.#askFor(id, round);
    const ended = random.maybe(this.ended);
    if (ended !== undefined) await this.#expect(404, 'POST', ended, round);
    await this.#expect(400, 'POST', `u-${random.visible(12)}`, round);
    await this.#expect(200, 'POST', undefined, round);
  }

  /** A live session is answered by its owner; one that something has happened to may be over. */
  async #askFor(id: string, round: number): Promise<void> {
    const { oracle, complain } = this.#options;
    const session = oracle.session(id);
    if (!session) return;
    const { doubtful } = session;
    // What is on its way may still end it.
    session.doubtful = session.pending > 0;
    const { status, head, body } = await this.#ask('POST', id, round);
    // The owner repeats the id that it was given.
    const answered = body.includes(`"of":"${session.owner}"`) && head.includes(`: ${id}\r\n`);
    if (status === 200 && answered) return;
    if (status !== 404 || !(doubtful || session.doubtful))
      complain(`a live session of ${session.owner} was answered ${status} ${body}`, round);
    this.#end(id, round);
  }

  async #expect(
    wanted: number,
    method: string,
    id: string | undefined,
    round: number,
  ): Promise<void> {
    const { status, body } = await this.#ask(method, id, round);
    if (status !== wanted)
      this.#options.complain(
        `an honest request was answered ${status} ${body} for ${wanted}`,
        round,
      );
  }

  #end(id: string, round: number): void {
    this.#options.oracle.ended(id, round);
    this.live = this.live.filter((each) => each !== id);
    this.ended.push(id);
    if (this.ended.length > 5) this.ended.shift();
  }

  async #replenish(round: number): Promise<void> {
    while (this.live.length < LIVE) await this.#open(round);
    if (this.ended.length > 0) return;
    await this.#open(round);
    const id = this.live.pop() ?? '';
    await this.#expect(200, 'DELETE', id, round);
    this.#end(id, round);
  }

  async #open(round: number): Promise<void> {
    const { head } = await this.#ask('POST', undefined, round, INITIALIZE);
    const id = /^mcp-session-id: (.*)$/im.exec(head)?.[1];
    if (id === undefined || !this.#options.oracle.session(id)) {
      this.#options.complain(`no session was opened: ${head}`, round);
      throw new Error('no session was opened');
    }
    this.live.push(id);
  }

  async #ask(
    method: string,
    id: string | undefined,
    round: number,
    body = CALL,
  ): Promise<Answered> {
    // A backend that closes a connection without a word may have got the request, which is never sent again (D4).
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#askOnce(method, id, round, body);
      if (answer.status !== 502 || tries === 5) return answer;
    }
  }

  async #askOnce(
    method: string,
    id: string | undefined,
    round: number,
    body: string,
  ): Promise<Answered> {
    this.#asked += 1;
    const mark = markOf(round, 100 + this.#asked);
    const bytes = honestRequest(method, id, mark, body);
    this.#options.oracle.sends(bytes, [mark]);
    return ask(this.#options.port, bytes);
  }
}
