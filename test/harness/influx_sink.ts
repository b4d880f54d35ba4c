import type { Test } from 'tap'
import { type InfluxOptions, InfluxSink } from '../../collector/sinks/influxdb/influxdb.ts'

/** A sink that the end of the test closes, with the collector's usual settings where none are given. */
export function connect(t: Test, options: Partial<InfluxOptions> & { url: string }): InfluxSink {
  const usual = {
    database: 'flows',
    createDatabase: true,
    timeoutMs: 5000,
    gzip: true,
    linesPerRequest: 5000,
  }
  const sink = new InfluxSink({ ...usual, ...options })
  t.teardown(() => sink.close())
  return sink
}
