// SPDX-License-Identifier: MIT
// The one file that knows the metrics library.
import {
  AggregatorRegistry,
  Counter,
  Histogram,
  type MetricObject,
  type MetricObjectWithValues,
  Registry,
} from 'prom-client'

/** Text by label. Labels are few and their values bounded: each combination is kept as long as the process lives. */
export type MetricLabels = Readonly<Record<string, string>>

/** What all metrics of a process hold, as one process tells it to another. */
export type MetricValues = readonly object[]

/** Counts and measures of one process. What is asked for twice under one name is the same. */
export interface Metrics {
  /** A number that only grows. `labels`: their names. */
  counter(name: string, help: string, labels: readonly string[]): { add(amount: number, labels: MetricLabels): void }
  /** How long something takes, in seconds. */
  timer(name: string, help: string, labels: readonly string[]): { took(ms: number, labels: MetricLabels): void }
  values(): Promise<MetricValues>
}

/** From what a local service takes to the longest anybody waits for. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

/** Metrics of this process, all zero. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const known = (name: string) => registry.getSingleMetric(name)
  const common = { registers: [registry] }
  return {
    counter(name, help, labels) {
      const counter =
        (known(name) as Counter | undefined) ?? new Counter({ name, help, labelNames: [...labels], ...common })
      return { add: (amount, values) => counter.inc({ ...values }, amount) }
    },
    timer(name, help, labels) {
      const histogram =
        (known(name) as Histogram | undefined) ??
        new Histogram({ name, help, labelNames: [...labels], buckets: SECONDS, ...common })
      return { took: (ms, values) => histogram.observe({ ...values }, ms / 1_000) }
    },
    values: () => registry.getMetricsAsJSON(),
  }
}

/** The metrics of several processes together, in the text format of Prometheus. */
export function metricsText(processes: readonly MetricValues[]): Promise<string> {
  const all = processes.map((values) => values as unknown as MetricObject[])
  return AggregatorRegistry.aggregate(all as MetricObjectWithValues<never>[][]).metrics()
}

/** Where nobody counts. */
export const noMetrics: Metrics = {
  counter: () => ({ add: () => {} }),
  timer: () => ({ took: () => {} }),
  values: async () => [],
}
