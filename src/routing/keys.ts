import { hash } from 'node:crypto';

/** The key of a session: SHA-256 of its id, hex. The id itself is in no store, and in memory with its connection only. */
export function keyOf(sessionId: string): string {
  return hash('sha256', sessionId, 'hex');
}

/** The same for a session of HTTP+SSE: an id of one transport is none of the other. */
export function keyOfStream(sessionId: string): string {
  return keyOf(`sse ${sessionId}`);
}

/** The same for a task (SEP-2663). */
export function keyOfTask(taskId: string): string {
  return keyOf(`task ${taskId}`);
}
