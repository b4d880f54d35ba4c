/** `sockflux setup`: its commands and their flags. */

import type { Command } from 'commander'
import { metricsOf } from '../../collector/metrics/catalogue.ts'
import { GROUPS } from '../../collector/metrics/metric.ts'
import { collectorSettings } from '../../collector/options.ts'
import { influxdb } from '../../collector/sinks/influxdb/index.ts'
import { printable } from '../../collector/sinks/influxdb/influxdb.ts'
import { readSettings } from '../../wire/settings/read.ts'
import { addFlags, addOptions } from '../../wire/settings/settings.ts'
import { secondsOf } from './duration.ts'
import { setupSettings } from './options.ts'

type Flags = Readonly<Record<string, unknown>>

const { influxGzip: _1, influxCreate: _2, ...connection } = influxdb.settings
const { profile } = collectorSettings

export function addSetup(program: Command): void {
  const setup = program
    .command('setup')
    .description('set a database and Grafana up for what the collector writes')
  addInfluxdb(setup)
}

function addInfluxdb(setup: Command): void {
  const command = setup
    .command('influxdb')
    .description(
      'database or bucket, retention, and series by the minute and the hour; a second run changes nothing',
    )
  addFlags(command, 'collector', { profile, ...connection })
  addOptions(command, setupSettings)
  command.addHelpText('after', HELP)
  command.action(async (flags: Flags) => {
    const collector = readSettings(collectorSettings, 'collector', flags, process.env)
    const own = readSettings(setupSettings, 'setup', flags, process.env, { inFile: false })
    const { influxUrl: url, influxOrg: org, influxRetentionPolicy: policy } = collector
    if (url === undefined) throw new Error('setup influxdb needs --influx-url or INFLUX_URL')
    const database = collector.influxDatabase ?? collector.profile
    printable('--influx-database or INFLUX_DATABASE', database)
    printable('--influx-org or INFLUX_ORG', org)
    printable('--influx-retention-policy', policy)
    if (own.backfill === undefined && own.backfillTo !== undefined)
      throw new Error('--backfill-to: has no effect without --backfill: give that too')
    const { resolutionsOf } = await import('./influxdb/resolutions.ts')
    const { setUp } = await import('./influxdb/main.ts')
    await setUp({
      connection: {
        ...{ url, database, org, env: process.env },
        version: collector.influxVersion,
        token: collector.influxToken,
        username: collector.influxUsername,
        password: collector.influxPassword,
        ca: collector.influxCa,
        insecure: collector.influxInsecure,
        timeoutMs: collector.influxTimeout * 1000,
      },
      wanted: {
        ...{ database, policy, org, shorten: own.shorten, credentials: own.credentials },
        keepRaw: secondsOf(own.keepRaw),
        resolutions: resolutionsOf(own, secondsOf(own.lateBy)),
        metrics: metricsOf(collector.profile, GROUPS),
        now: Date.now() / 1000,
      },
      dryRun: own.dryRun,
      backfill: own.backfill === undefined ? undefined : { from: own.backfill, to: own.backfillTo },
      out: process.stdout,
    })
  })
}

const HELP = `
Needs an administrator's login: a user with ALL PRIVILEGES (1.x), an all-access token (2.x), an admin token (3.x). The
collector and Grafana need less: --credentials makes logins for them. What is not named sockflux_* is never dropped.`
