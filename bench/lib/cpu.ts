import { existsSync, readFileSync } from 'node:fs';

/** The unit of /proc, on every Linux (ms). */
const CLOCK_TICK = 10;

/** CPU time (ms) that a process and those it has started have used; null where there is no /proc. */
export function cpuOf(pid: number): number | null {
  if (!existsSync(`/proc/${pid}/stat`)) return null;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = [pid, ...children.split(' ').filter(Boolean).map(Number)];
  return pids.reduce((sum, id) => sum + ownTime(id), 0);
}

function ownTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold spaces; utime and stime are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK;
}
