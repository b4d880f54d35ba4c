import { embedded } from './embedded/index.ts'
import { influxdb } from './influxdb/index.ts'
import { prometheus } from './prometheus/index.ts'

/** The sinks: a line each. In `--help` their settings stand in this order. */
export const SINKS = [embedded, influxdb, prometheus] as const
