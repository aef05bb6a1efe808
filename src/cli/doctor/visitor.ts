import { isSessionId } from '../../protocol/session-id.ts';
import { callIdOf, Endpoint, OFFERED, type Session } from './endpoint.ts';
import { isGood, judgeCall, judgeOpening, whyNone, type Opening, type Outcome } from './judge.ts';
import { forEach } from './pool.ts';
import type { DoctorSettings } from './settings.ts';

/** How often a session is ended again, where a request may have reached a server that does not know it. */
const ATTEMPTS = 30;
/** How long that may take in all (ms). */
const PATIENCE = 15_000;

/** Whoever has such a session shares it with a stranger. */
const TWICE = 'an Mcp-Session-Id that another session has';

const OTHERS = "another session's Mcp-Session-Id";

/** A client that opens sessions, and leaves none behind. */
export class Visitor {
  readonly endpoint: Endpoint;
  readonly #settings: DoctorSettings;
  readonly #open = new Set<Session>();
  readonly #issued = new Set<string>();

  constructor(url: URL, settings: DoctorSettings, signal: AbortSignal) {
    this.#settings = settings;
    this.endpoint = new Endpoint(url, settings, signal);
  }

  async open(): Promise<Opening> {
    // Until the answer is complete, and good, it is one that has to be ended all the same.
    let heard: Session | undefined;
    const issued = (id: string): void => {
      if (heard || this.#issued.has(id) || !isSessionId(id)) return;
      heard = { id, version: OFFERED };
      this.#open.add(heard);
    };
    try {
      const opening = judgeOpening(await this.endpoint.initialize(issued));
      if (opening.kind === 'refused') return opening;
      const { session } = opening;
      if (session.id !== undefined) {
        if (heard) this.#open.delete(heard);
        if (this.#issued.has(session.id)) return { kind: 'refused', what: TWICE };
        this.#issued.add(session.id);
      }
      if (session.id !== undefined) this.#open.add(session);
      // Where it does not reach its session, the calls will tell.
      await this.endpoint.initialized(session).catch(() => {});
      return opening;
    } catch (error) {
      return { kind: 'refused', what: whyNone(error) };
    }
  }

  async call(session: Session): Promise<Outcome> {
    try {
      const received = await this.endpoint.call(session);
      const { sessionId } = received;
      // Clients of SDK v1 take it for theirs from now on.
      if (sessionId !== undefined && sessionId !== session.id)
        return { kind: 'lost', what: OTHERS };
      return judgeCall(received, callIdOf(session));
    } catch (error) {
      return { kind: 'failed', what: whyNone(error) };
    }
  }

  /** Ends a session. @returns the status, or why there was none */
  async end(session: Session, endpoint: Endpoint = this.endpoint): Promise<number | string> {
    try {
      const { status } = await endpoint.end(session);
      // 405: the server lets no client end a session.
      if (isGood(status) || status === 405) this.#open.delete(session);
      return status;
    } catch (error) {
      return whyNone(error);
    }
  }

  /** Ends what is still open. @returns for how many sessions nobody has said that they are */
  async leave(): Promise<number> {
    const signal = AbortSignal.timeout(PATIENCE);
    const endpoint = new Endpoint(this.endpoint.url, this.#settings, signal);
    await forEach([...this.#open], this.#settings.concurrency, signal, async (session) => {
      for (let attempt = 0; attempt < ATTEMPTS && this.#open.has(session); attempt += 1) {
        if (signal.aborted) return;
        await this.end(session, endpoint);
      }
    });
    return this.#open.size;
  }
}
