import { createServer } from 'node:http';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { AppError } from './app-error.ts';
import { createCounter, createHistogram, type Distribution, type Family, type Tally } from './tallies.ts';

export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Family<Tally>;
  /** `buckets` in the unit that the name ends with. */
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Family<Distribution>;
  gauge(name: string, help: string, read: () => number): Gauge;
  text(): Promise<string>;
}

/** Metrics in Prometheus' text format; every name begins with `damask_`. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const own: { text(): string }[] = [];
  const keep = <Metric extends { text(): string }>(metric: Metric): Metric => {
    own.push(metric);
    return metric;
  };
  return {
    counter: (name, help, labels = []) => keep(createCounter(name, help, labels)),
    histogram: (name, help, labels, buckets) => keep(createHistogram(name, help, labels, buckets)),
    gauge: (name, help, read) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      }),
    text: async () => `${own.map((metric) => `${metric.text()}\n\n`).join('')}${await registry.metrics()}`,
  };
}

/** Serves `/metrics` on a listener of its own, so that it can never be reached through the public one. Port 0 turns it off. */
export async function serveMetrics(metrics: Metrics, host: string, port: number): Promise<{ close(): Promise<void> }> {
  if (port === 0) return { close: async () => undefined };
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_METRICS_PORT')));
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Why an address cannot be listened on, with the way out. */
export function listenFailure(error: Error, host: string, port: number, setting: string): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  const where = `${host}:${port}`;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${where} is taken by another program. Stop it, or choose another port with ${setting}.`,
    EACCES: `${where} may not be used by this user. Choose a port above 1023 with ${setting}.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Correct DAMASK_HOST.`,
    ENOTFOUND: `${host} is not known. Correct DAMASK_HOST.`,
  };
  return new AppError(
    code === 'EADDRINUSE' ? 'in_use' : 'unavailable',
    reasons[code ?? ''] ?? `${where} cannot be listened on: ${error.message}.`,
    {},
    { cause: error },
  );
}
