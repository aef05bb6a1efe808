import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A line of a backend's log. */
export interface LogEntry {
  /** The process: a restarted one has another name. */
  readonly instance: string;
  readonly session: string;
  /** `refused`: this process does not know the session. */
  readonly did: 'opened' | 'executed' | 'noted' | 'refused';
  /** The id of the message, unique to each attempt of a client; notifications have none. */
  readonly call: string | undefined;
}

export interface History {
  /** Requests of a session that reached another process than the one that opened it. */
  readonly astray: number;
  /** Attempts that were executed more than once. */
  readonly executedTwice: number;
}

export function readLogs(folder: string): LogEntry[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return files
    .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LogEntry);
}

/** What the backends say of the sessions of one front: its clients begin the ids of their messages with its name. */
export function historyOf(front: string, log: readonly LogEntry[]): History {
  const owners = new Map<string, string>();
  for (const { did, session, instance, call } of log) {
    if (did === 'opened' && call?.startsWith(`${front}/`)) owners.set(session, instance);
  }
  const executions = new Map<string, number>();
  let astray = 0;
  for (const { did, session, instance, call } of log) {
    const owner = owners.get(session);
    if (owner === undefined) continue;
    if (owner !== instance) astray += 1;
    if (did === 'executed' && call) executions.set(call, (executions.get(call) ?? 0) + 1);
  }
  const executedTwice = [...executions.values()].filter((count) => count > 1).length;
  return { astray, executedTwice };
}
