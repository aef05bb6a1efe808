import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { openTelemetry, type Telemetry } from '../../src/opentelemetry.ts';

/** For the option `telemetry`, and a handler that answers the scrapes of Prometheus. */
export function prometheusOf(): {
  readonly telemetry: Telemetry;
  readonly scraped: (req: IncomingMessage, res: ServerResponse) => void;
} {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  return {
    telemetry: openTelemetry({ meterProvider }),
    scraped: (req, res) => exporter.getMetricsRequestHandler(req, res),
  };
}
