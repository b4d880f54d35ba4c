import { embedded } from './embedded/index.ts'
import { influxdb } from './influxdb/index.ts'
import { ndjson } from './ndjson/index.ts'
import { prometheus } from './prometheus/index.ts'

/** The sinks, one line each. `--help` lists their settings in this order. */
export const SINKS = [embedded, influxdb, prometheus, ndjson] as const
