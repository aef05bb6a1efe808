import { metrics, type MeterProvider } from '@opentelemetry/api';
import { isObject, strayOf } from './given.ts';
import { Instruments, type Snapshot } from './opentelemetry/instruments.ts';
import { requestSpan } from './opentelemetry/request-span.ts';
import { SessionRoutingError } from './protocol/errors.ts';
import type { Telemetry } from './telemetry.ts';

export type { Telemetry } from './telemetry.ts';

export interface OpenTelemetryOptions {
  /** Whose meter is used. @default the global one, when the first middleware is made */
  readonly meterProvider?: MeterProvider;
}

const NAME = 'mcp-session-routing';

/**
 * Tells OpenTelemetry what happens: metrics of all middlewares that are given it, and attributes on the span of each
 * request. Costs next to nothing where no SDK is registered.
 *
 * @throws {SessionRoutingError} `invalid_option`, with the remedy in the message
 * @example
 * mcpSessionRouting(store, { backends, telemetry: openTelemetry() });
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const { meterProvider } = checked(options);
  const subjects = new Set<() => Snapshot>();
  let instruments: Instruments | undefined;

  return {
    observe({ stats, backends }) {
      // Not before: the global provider may have been registered meanwhile.
      instruments ??= new Instruments((meterProvider ?? metrics).getMeter(NAME), () =>
        Array.from(subjects, (snapshot) => snapshot()),
      );
      const told = instruments;
      const subject = (): Snapshot => {
        const now = backends();
        return { stats: stats(), backends: now, counted: now };
      };
      subjects.add(subject);
      return {
        requested: requestSpan,
        stored: (verb, seconds, failure) => told.stored(verb, seconds, failure),
        closed() {
          if (!subjects.delete(subject)) return;
          // The last export comes after the end: what was counted stays counted.
          const last = { ...stats(), streams: 0, cached: 0 };
          subjects.add(kept({ stats: last, backends: [], counted: backends() }));
        },
      };
    },
  };
}

/** On its own: a function that is made beside those of a middleware keeps all of it in memory. */
function kept(last: Snapshot): () => Snapshot {
  return () => last;
}

function checked(options: OpenTelemetryOptions): OpenTelemetryOptions {
  if (!isObject(options)) throw invalid('the options must be an object, such as { meterProvider }');
  const stray = strayOf(options, ['meterProvider']);
  if (stray) throw invalid(`option "${stray.name}" ${stray.remedy}`);
  const { meterProvider } = options;
  if (meterProvider === undefined) return {};
  const able = isObject(meterProvider) && typeof meterProvider.getMeter === 'function';
  if (!able)
    throw invalid('"meterProvider" must be one, with getMeter; leave it out for the global one');
  return { meterProvider };
}

function invalid(problem: string): SessionRoutingError {
  return new SessionRoutingError('invalid_option', `openTelemetry: ${problem}`);
}
