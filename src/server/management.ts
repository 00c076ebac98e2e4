import { createServer, type Server } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** How far the first sync is, as `/readyz` tells it. */
export interface Readiness {
  readonly ready: boolean;
  /** Per cluster and kind, whatever the registry of clusters tells. */
  readonly clusters: unknown;
}

/** The gateway's own metrics. Labels name clusters and kinds, never tenants or what is theirs. */
export class Metrics {
  readonly registry = new Registry();
  readonly requestSeconds = new Histogram({
    name: 'gateway_http_request_duration_seconds',
    help: 'Time from a request to /graphql to its answer.',
    labelNames: ['status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.registry],
  });
  readonly runs = new Counter({
    name: 'gateway_operations_total',
    help: 'Operations, and events of subscriptions, that were executed, by engine.',
    labelNames: ['engine'],
    registers: [this.registry],
  });
  readonly refusals = new Counter({
    name: 'gateway_refusals_total',
    help: 'Pairs of function and project that requests were refused.',
    labelNames: ['function'],
    registers: [this.registry],
  });
  readonly failures = new Counter({
    name: 'gateway_internal_errors_total',
    help: 'Errors that were masked as INTERNAL.',
    registers: [this.registry],
  });

  /** A figure that is read when it is asked for. */
  observe(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (set: (labels: Readonly<Record<string, string>>, value: number) => void) => void,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        read((labels, value) => this.set(labels, value));
      },
    });
  }

  /** Memory, CPU, the loop's delay and the like of this process. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}

/**
 * Health and metrics, on a port of their own. `/healthz`: the process runs. `/readyz`: 200 once each cluster has synced or failed once, and not while
 * draining, with the progress as JSON. `/metrics`: Prometheus.
 */
export function createManagement(options: { readonly metrics: Metrics; readiness(): Readiness }): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok\n');
    } else if (path === '/readyz') {
      const readiness = options.readiness();
      response
        .writeHead(readiness.ready ? 200 : 503, { 'content-type': 'application/json; charset=utf-8' })
        .end(`${JSON.stringify(readiness)}\n`);
    } else if (path === '/metrics') {
      options.metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': options.metrics.registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else {
      response.writeHead(404).end();
    }
  });
}
