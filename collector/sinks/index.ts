import type { EmbeddedOptions } from './embedded/embedded.ts'
import { EmbeddedSink } from './embedded/embedded.ts'
import type { InfluxOptions } from './influxdb/influxdb.ts'
import { InfluxSink } from './influxdb/influxdb.ts'
import { type PrometheusOptions, PrometheusSink } from './prometheus/prometheus.ts'
import type { Sink } from './sink.ts'

/** The sinks by their name in the configuration. */
export const sinks = {
  influxdb: async (options: InfluxOptions) => new InfluxSink(options),
  embedded: (options: EmbeddedOptions) => EmbeddedSink.open(options),
  prometheus: async (options: PrometheusOptions) => new PrometheusSink(options),
} satisfies Record<string, (options: never) => Promise<Sink>>

export type SinkName = keyof typeof sinks
