import { randomUUID } from 'node:crypto';
import { MODERN } from './e2e-eras.ts';

/** A request of 2026-07-28, as an SDK sends it that knows tasks (SEP-2663). */
function post(url: string, method: string, name: string, params: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
      'MCP-Protocol-Version': MODERN,
      'Mcp-Method': method,
      'Mcp-Name': name,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}

/** Calls the tool that creates a task; its id. */
export async function createTask(url: string): Promise<string> {
  const args = { name: 'task', arguments: { nonce: randomUUID() } };
  const response = await post(url, 'tools/call', 'task', args);
  const { result } = (await response.json()) as { result?: { taskId?: string } };
  if (result?.taskId === undefined) throw new Error(`no task was created: ${response.status}`);
  return result.taskId;
}

export interface Poll {
  readonly task: string;
  readonly status: number;
  readonly body: string;
}

export async function pollTask(url: string, task: string): Promise<Poll> {
  const response = await post(url, 'tasks/get', task, { taskId: task });
  return { task, status: response.status, body: await response.text() };
}

/** Creates a task and asks for it so many times; what went wrong, in words. */
export async function useTask(
  url: string,
  calls: number,
): Promise<{ task: string; complaints: string[] }> {
  const task = await createTask(url);
  const complaints: string[] = [];
  for (let call = 1; call <= calls; call += 1) {
    const { status, body } = await pollTask(url, task);
    // The owner has counted one further.
    if (status !== 200 || !body.includes(`"polls":${call}`)) complaints.push(`${status} ${body}`);
  }
  return { task, complaints };
}
