import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reason } from '../protocol/reasons.ts';
import type { Asked } from '../routing/answer.ts';
import type { Caller } from '../routing/caller.ts';
import type { Route } from '../routing/route.ts';
import type { Opening } from '../store/openings.ts';
import { refusalAnswer, statusOf } from './answer.ts';
import type { RequestLine } from './forget-at-backend.ts';
import type { Release } from './response-gate.ts';
import type { Surroundings } from './surroundings.ts';

/** What is known of the request that an answer is for. */
export interface Question {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly asked: Asked;
  readonly route: Route;
  /** `undefined`: no proxy has sent it. */
  readonly line: RequestLine | undefined;
  /** Its body, if it was kept. */
  readonly body: Buffer | undefined;
  /** An `initialize` that is to be kept. */
  readonly opening: Opening | undefined;
  /** Who asks, once `identify` was called; `undefined` where callers are not told apart. */
  readonly caller: Caller | undefined;
  /** `false`: who asks could not be told, so that nothing may be opened for them. */
  identify(): boolean;
  /** It is sent again, to another backend. */
  moved(url: string): void;
  /** Its answer has opened a session, which is stored. */
  opened(key: string): void;
  /** It is answered in place of a backend. */
  refused(reason: Reason): void;
}

/** What of its surroundings an answer is looked at with. */
export type Around = Pick<
  Surroundings,
  'routing' | 'streams' | 'sseParams' | 'onUnreadAnswer' | 'unknownSessionStatus'
>;

/** The answer of a backend is replaced by a refusal. */
export function refusedAs(
  question: Question,
  { unknownSessionStatus }: Around,
  reason: Reason,
): Release {
  question.refused(reason);
  return { kind: 'replace', by: refusalAnswer(reason, statusOf(reason, unknownSessionStatus)) };
}
