import type { Terminal } from '../terminal.ts';
import { examine } from './examine.ts';
import { placeOf, printed } from './print.ts';
import { reportOf } from './report.ts';
import type { DoctorSettings } from './settings.ts';

/** What a shell expects of a program that SIGINT has ended. */
const STOPPED = 130;

/** Examines an endpoint and tells. @returns the exit code */
export async function runDoctor(
  settings: DoctorSettings,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<number> {
  try {
    const findings = await examine(settings, stop, (text) => terminal.progress(text));
    const report = reportOf(findings);
    if (settings.json) {
      const told = { url: placeOf(settings.url), ...report, ...findings };
      terminal.out(JSON.stringify(told, undefined, 2));
    } else {
      for (const line of printed(report, settings, terminal.paint)) terminal.out(line);
    }
    return report.verdict === 'ok' ? 0 : 1;
  } catch (error) {
    terminal.progress();
    if (!stop.aborted) throw error;
    terminal.err('doctor: stopped, and its sessions ended as far as they could be');
    return STOPPED;
  }
}
