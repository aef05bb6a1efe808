import { markIn } from './marks.ts';

/** A request as it has reached a backend. */
export interface Hit {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  /** [name, value, name, value] */
  readonly rawHeaders: readonly string[];
}

interface Session {
  readonly owner: string;
  /** The round in which it was opened, and that after which it is known to be over. */
  readonly round: number;
  endedAfter?: number;
  endedAt?: number;
  /** Something has happened that may have ended it, or is about to. */
  doubtful: boolean;
  pending: number;
}

interface Mark {
  readonly sent: number;
  readonly arrived: Hit[];
}

/** How long a request without a mark may have been on its way (ms). */
const STRAGGLING = 2000;

const OF_ONE_HOP = new Set([
  ...['keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'upgrade'],
]);

/** Knows whose session is whose, and looks at all that reaches a backend. */
export class Oracle {
  readonly #complain: (problem: string, round: number | undefined) => void;
  readonly #sessions = new Map<string, Session>();
  /** `backend round id`: an id that a backend has given although it was not its own, and may be asked to forget. */
  readonly #offers = new Set<string>();
  /** How often a mark was sent, and has arrived. */
  readonly #marks = new Map<string, Mark>();
  misroutes = 0;

  constructor(complain: (problem: string, round: number | undefined) => void) {
    this.#complain = complain;
  }

  sends(bytes: Buffer, marks: readonly string[]): void {
    const text = bytes.toString('latin1');
    for (const mark of marks)
      this.#marks.set(mark, { sent: text.split(`u=${mark}`).length - 1, arrived: [] });
  }

  opened(id: string, owner: string, round: number): void {
    this.#sessions.set(id, { owner, round, doubtful: false, pending: 0 });
  }

  offered(id: string, backend: string, round: number): void {
    // Also of a live session of its own: another lane may end it at this moment. If it was not ended, honest requests
    // would notice that it is gone.
    this.#offers.add(`${backend} ${round} ${id}`);
  }

  /** The session, if it was issued. */
  session(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** An answer may end the session; to be called with it is sent. */
  doubt(id: string): () => void {
    const session = this.#sessions.get(id);
    if (!session) return () => {};
    session.doubtful = true;
    session.pending += 1;
    return () => {
      session.pending -= 1;
    };
  }

  ended(id: string, round: number): void {
    const session = this.#sessions.get(id);
    if (session) Object.assign(session, { endedAfter: round, endedAt: performance.now() });
  }

  /** Whether a client may be given this id by an answer to a request with one of these marks. */
  mayTell(id: string, marks: readonly string[], round: number, bytes: Buffer): boolean {
    const session = this.#sessions.get(id);
    if (!session || (session.endedAfter ?? round) < round) return false;
    const hits = marks.flatMap((mark) => this.#marks.get(mark)?.arrived ?? []);
    const isForIt = hits.some((hit) => {
      const [asked] = valuesOf(hit, 'mcp-session-id');
      return asked === undefined ? session.owner === hit.backend : asked === id;
    });
    // The mark itself may have been changed on the way: then the session must be new, or have been named.
    const mayBe = session.round >= round || bytes.includes(id, 0, 'latin1');
    return isForIt || (hits.length < marks.length && mayBe);
  }

  /** `false`: it is one that the gateway has made itself. */
  hit(hit: Hit): boolean {
    const ids = valuesOf(hit, 'mcp-session-id');
    const at = markIn(hit.url);
    const offer = `${hit.backend} ${at?.round} ${ids[0]}`;
    const forgets = hit.method === 'DELETE' && ids.length === 1 && this.#offers.has(offer);
    this.#lookAtHead(hit, at?.round);
    if (forgets) return false;
    if (at) this.#count(at.mark, at.round, hit);
    for (const id of ids) this.#lookAtId(id, hit, at?.round);
    return true;
  }

  #count(mark: string, round: number, hit: Hit): void {
    const known = this.#marks.get(mark);
    // Of a replay, in which the rounds before were left out.
    if (!known) return;
    known.arrived.push(hit);
    const times = known.arrived.length;
    if (times > known.sent) this.#complain(`executed ${times} times: ${shown(hit)}`, round);
  }

  #lookAtId(id: string, hit: Hit, round: number | undefined): void {
    const session = this.#sessions.get(id);
    const modern = valuesOf(hit, 'mcp-protocol-version').some(
      (version) => /^\d{4}-\d\d-\d\d$/.test(version) && version >= '2026-07-28',
    );
    let problem: string | undefined;
    if (!session) problem = 'with an id that was never issued';
    else if (session.owner !== hit.backend) problem = `of a session of ${session.owner}`;
    else if (modern) problem = 'of a revision without sessions has an id';
    else if (wasOver(session, round)) problem = 'of a session that was over';
    if (problem === undefined) return;
    this.misroutes += 1;
    this.#complain(`reached ${hit.backend}, ${problem}: ${shown(hit)}`, round);
  }

  #lookAtHead(hit: Hit, round: number | undefined): void {
    const names = hit.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    const connection = valuesOf(hit, 'connection').filter(
      (value) => !/^(?:keep-alive|close)$/i.test(value),
    );
    const wrong = names.filter((name) => OF_ONE_HOP.has(name));
    if (names.includes('transfer-encoding') && names.includes('content-length'))
      wrong.push('two framings');
    for (const name of ['mcp-session-id', 'host', 'content-length', 'transfer-encoding']) {
      if (names.indexOf(name) !== names.lastIndexOf(name)) wrong.push(`${name} twice`);
    }
    if (wrong.length + connection.length > 0)
      this.#complain(
        `${hit.backend} got ${[...wrong, ...connection].join(', ')}: ${shown(hit)}`,
        round,
      );
  }
}

function wasOver({ endedAfter, endedAt }: Session, round: number | undefined): boolean {
  if (endedAfter === undefined || endedAt === undefined) return false;
  return round === undefined ? performance.now() - endedAt > STRAGGLING : round > endedAfter;
}

function valuesOf({ rawHeaders }: Hit, wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}

function shown({ method, url, rawHeaders }: Hit): string {
  return JSON.stringify([method, url.slice(0, 300), rawHeaders.map((each) => each.slice(0, 200))]);
}
