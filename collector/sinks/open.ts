import type { Logger } from 'pino'
import { makeDirectory } from '../directory.ts'
import type { CollectorOptions } from '../options.ts'
import { sinks } from './index.ts'
import type { Sink } from './sink.ts'

/** The sinks that the options name. */
export async function openSinks(options: CollectorOptions, version: string, log: Logger): Promise<Sink[]> {
  const wanted = options.sink.length > 0 ? options.sink : [options.influxUrl ? 'influxdb' : 'embedded']
  const open: Sink[] = []
  for (const name of new Set(wanted)) {
    if (name === 'embedded') {
      makeDirectory(options.store, '--store', 0o700)
      open.push(
        await sinks.embedded({
          directory: options.store,
          maxAgeDays: options.storeDays,
          maxBytes: options.storeSize,
          log,
        }),
      )
    } else {
      if (!options.influxUrl) throw new Error('the sink influxdb needs --influx-url or INFLUX_URL')
      open.push(
        await sinks.influxdb({
          url: options.influxUrl,
          version: options.influxVersion,
          database: options.influxDatabase ?? options.profile,
          org: options.influxOrg,
          token: options.influxToken,
          username: options.influxUsername,
          password: options.influxPassword,
          retentionPolicy: options.influxRetentionPolicy,
          createDatabase: options.influxCreate,
          ca: options.influxCa,
          insecureSkipVerify: options.influxInsecure,
          timeoutMs: options.influxTimeout * 1000,
          gzip: options.influxGzip,
          linesPerRequest: 5000,
        }),
      )
    }
  }
  if (options.prometheus) open.push(await sinks.prometheus({ version }))
  return open
}
