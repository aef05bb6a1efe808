/** Name of the header that says what a request of 2026-07-28 asks for. */
export const METHOD_HEADER = 'mcp-method';
/** Name of the header that says what it asks about: for `tasks/*` the id of the task (SEP-2663). */
export const NAME_HEADER = 'mcp-name';

/** The methods whose request has to reach the instance that holds the task (SEP-2663). */
const OF_A_TASK: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);
/** The methods whose answer may be a task. */
const CREATING: ReadonlySet<string> = new Set(['tools/call']);

/** Longest id that is stored (characters). */
const LONGEST_ID = 1024;

// encoded = "=?base64?" *base64-char "?=" ; SEP-2243, for values that no header may hold
const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** A task that a server has created. */
export interface CreatedTask {
  readonly id: string;
  /** For how many milliseconds the server keeps it, if it says so. */
  readonly ttl: number | undefined;
}

/** The task that a request is about; `undefined`: none, or none that could be stored. */
export function taskAskedFor(
  method: string | undefined,
  name: string | undefined,
): string | undefined {
  if (method === undefined || name === undefined || !OF_A_TASK.has(method)) return undefined;
  const encoded = ENCODED.exec(name)?.[1];
  const id = encoded === undefined ? name : utf8Of(encoded);
  return isTaskId(id) ? id : undefined;
}

export function mayCreateTask(method: string | undefined): boolean {
  return method !== undefined && CREATING.has(method);
}

/** The task in an answer: `CreateTaskResult`, whose members may stand in the result or in its `task` (SEP-2663). */
export function createdTask(json: string): CreatedTask | undefined {
  // Most answers are none, and need not be parsed.
  if (!json.includes('"resultType"')) return undefined;
  const result = memberOf(parse(json), 'result');
  if (memberOf(result, 'resultType') !== 'task') return undefined;
  const task = memberOf(result, 'task') ?? result;
  const [id, ttl] = [memberOf(task, 'taskId'), memberOf(task, 'ttl') ?? memberOf(task, 'ttlMs')];
  if (!isTaskId(id)) return undefined;
  return { id, ttl: typeof ttl === 'number' && ttl > 0 && Number.isFinite(ttl) ? ttl : undefined };
}

function isTaskId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID;
}

function utf8Of(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
