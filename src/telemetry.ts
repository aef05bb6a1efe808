import type { BackendInfo } from './backends/backend.ts';
import type { Observer } from './observers.ts';
import type { Stats } from './stats.ts';

/** What can be asked of a middleware at any time. */
export interface Observed {
  readonly stats: () => Stats;
  readonly backends: () => readonly BackendInfo[];
}

/** What the option `telemetry` takes: `openTelemetry()` of `mcp-session-routing/opentelemetry` makes one. */
export interface Telemetry {
  /** Called once for each middleware that is made with it; what it returns is told what happens. */
  readonly observe: (observed: Observed) => Observer;
}
