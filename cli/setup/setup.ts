/** `sockflux setup`: its commands and their flags. */

import type { Command } from 'commander'
import { metricsOf } from '../../collector/metrics/catalogue.ts'
import { GROUPS } from '../../collector/metrics/metric.ts'
import { type CollectorOptions, collectorSettings } from '../../collector/options.ts'
import { influxdb } from '../../collector/sinks/influxdb/index.ts'
import { printable } from '../../collector/sinks/influxdb/influxdb.ts'
import { splitLogin } from '../../collector/sinks/influxdb/url.ts'
import type { Database } from '../../grafana/datasource.ts'
import { linkFault } from '../../wire/settings/endpoint.ts'
import { natsAccessOf } from '../../wire/settings/nats.ts'
import { readSettings } from '../../wire/settings/read.ts'
import { addFlags, addOptions } from '../../wire/settings/settings.ts'
import { secondsOf } from './duration.ts'
import { grafanaSettings, limitsOf } from './grafana/options.ts'
import type { ApiOptions } from './influxdb/api.ts'
import { natsSetupSettings } from './nats/options.ts'
import { setupSettings } from './options.ts'

type Flags = Readonly<Record<string, unknown>>

const { influxGzip: _1, influxCreate: _2, ...connection } = influxdb.settings
const { profile } = collectorSettings
const { dryRun } = setupSettings
const ofGrafana = { ...grafanaSettings, dryRun }

export function addSetup(program: Command): void {
  const setup = program
    .command('setup')
    .description('prepare InfluxDB, Grafana and NATS for what the collector writes')
  addInfluxdb(setup)
  addGrafana(setup)
  addNats(setup)
}

function addNats(setup: Command): void {
  const command = setup
    .command('nats')
    .description(
      'print the part of nats.conf for Sockflux; with a server, make its stream and buckets, and test them',
    )
    .argument('[endpoint]', 'nats://host:port of a server')
  addOptions(command, natsSetupSettings)
  command.action(async (endpoint: string | undefined, flags: Flags) => {
    const { user, collectorKey, adminKey, newKey, dryRun, ...own } = readSettings(
      natsSetupSettings,
      'setup',
      flags,
      process.env,
      { inFile: false },
    )
    const fault = endpoint === undefined ? undefined : linkFault(endpoint, 'connect')
    if (fault !== undefined) throw new Error(`setup nats: ${fault}`)
    const { makeNkey, setUpNats } = await import('./nats/main.ts')
    if (newKey !== undefined) {
      process.stdout.write(`${makeNkey(newKey)}\n`)
      return
    }
    const hosts = new Map(
      user.map(text => [text.slice(0, text.lastIndexOf('=')), text.slice(text.lastIndexOf('=') + 1)]),
    )
    await setUpNats({
      ...{ endpoint, access: natsAccessOf(own), wanted: own, dryRun, out: process.stdout },
      configured: { partitions: own.partitions, hosts, collectors: collectorKey, admins: adminKey },
    })
  })
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
    const collector = collectorOf(flags)
    const own = readSettings(setupSettings, 'setup', flags, process.env, { inFile: false })
    if (own.backfill === undefined && own.backfillTo !== undefined)
      throw new Error('--backfill-to: has no effect without --backfill: give that too')
    const { resolutionsOf } = await import('./influxdb/resolutions.ts')
    const { setUp } = await import('./influxdb/main.ts')
    const asked = {
      wanted: {
        ...{ database: databaseOf(collector), policy: collector.influxRetentionPolicy },
        ...{ org: collector.influxOrg, shorten: own.shorten, credentials: own.credentials },
        keepRaw: secondsOf(own.keepRaw),
        resolutions: resolutionsOf(own, secondsOf(own.lateBy)),
        metrics: metricsOf(collector.profile, GROUPS),
        now: Date.now() / 1000,
      },
      dryRun: own.dryRun,
      backfill: own.backfill === undefined ? undefined : { from: own.backfill, to: own.backfillTo },
      out: process.stdout,
    }
    for (const connection of connectionsOf(collector)) await setUp({ connection, ...asked })
  })
}

function addGrafana(setup: Command): void {
  const command = setup
    .command('grafana')
    .description('the folder of data source, dashboards and alerts that Grafana provisions itself from')
    .argument('<folder>', 'where to write it')
  addFlags(command, 'collector', { profile, ...connection })
  addOptions(command, ofGrafana)
  command.addHelpText(
    'after',
    '\nNo secret is written: Grafana reads INFLUX_USERNAME, INFLUX_PASSWORD and\nINFLUX_TOKEN from its own environment.',
  )
  command.action(async (folder: string, flags: Flags) => {
    if (folder === '') throw new Error('setup grafana needs a folder: give its path')
    const collector = collectorOf(flags)
    const own = readSettings(ofGrafana, 'setup', flags, process.env, { inFile: false })
    const {
      influxUrl: [given],
      influxRetentionPolicy: policy,
    } = collector
    const found = await reached(collector, own.datasource)
    const { database } = found
    const influxUrl = given === undefined || database === 'prometheus' ? undefined : splitLogin(given).url
    const url = own.datasourceUrl ?? influxUrl
    const { setUpGrafana } = await import('./grafana/main.ts')
    await setUpGrafana({
      folder,
      options: {
        ...{ database, folder: own.mountedAt, interval: own.windowSeconds },
        ...(url !== undefined && { url }),
        ...(database !== 'prometheus' && { name: databaseOf(collector) }),
        ...(database !== 'prometheus' && policy !== undefined && { policy: windowsPolicy(policy) }),
        ...(found.policy !== undefined && { opensOn: found.policy }),
        limits: limitsOf(own),
      },
      notes: found.untold === undefined ? [] : [found.untold],
      ...{ replace: own.replace, dryRun: own.dryRun, out: process.stdout },
    })
  })
}

/** @throws with the remedy */
function windowsPolicy(policy: string): string {
  printable('--influx-retention-policy', policy)
  return policy
}

interface Reached {
  readonly database: Database
  /** The default one of InfluxDB 1.x; undefined if it does not tell. */
  readonly policy?: string
  /** Why it does not. */
  readonly untold?: string
}

/** What Grafana is to read: what is given, or what answers at the address. */
async function reached(collector: CollectorOptions, given: Database | undefined): Promise<Reached> {
  const { influxVersion, influxRetentionPolicy } = collector
  const [connection] = collector.influxUrl.length > 0 ? connectionsOf(collector) : []
  if (given) return { database: given }
  if (influxVersion !== undefined) return { database: `influxdb${influxVersion}` }
  if (connection === undefined)
    throw new Error('setup grafana: give --datasource, or --influx-url, whose version is asked')
  const [{ Api }, { defaultPolicy }] = await Promise.all([
    import('./influxdb/api.ts'),
    import('./influxdb/v1/policies.ts'),
  ])
  const api = new Api(connection)
  try {
    const { major } = await api.version()
    const database = `influxdb${major}` as const
    if (influxRetentionPolicy !== undefined || major !== 1) return { database }
    return await defaultPolicy(api).then(
      policy => ({ database, ...(policy !== undefined && { policy }) }),
      (error: Error) => ({
        database,
        untold: `the retention policy of the windows is not known, --influx-retention-policy names it: ${error.message}`,
      }),
    )
  } finally {
    api.close()
  }
}

const collectorOf = (flags: Flags): CollectorOptions =>
  readSettings(collectorSettings, 'collector', flags, process.env)

function databaseOf({ influxDatabase, profile }: CollectorOptions): string {
  const database = influxDatabase ?? profile
  printable('--influx-database or INFLUX_DATABASE', database)
  return database
}

/** @throws with the remedy */
function connectionsOf(collector: CollectorOptions): ApiOptions[] {
  const { influxUrl: urls, influxOrg: org } = collector
  if (urls.length === 0) throw new Error('setup influxdb needs --influx-url or INFLUX_URL')
  printable('--influx-org or INFLUX_ORG', org)
  printable('--influx-retention-policy', collector.influxRetentionPolicy)
  return urls.map(url => ({
    ...{ url, org, database: databaseOf(collector), env: process.env },
    version: collector.influxVersion,
    token: collector.influxToken,
    username: collector.influxUsername,
    password: collector.influxPassword,
    ca: collector.influxCa,
    insecure: collector.influxInsecure,
    timeoutMs: collector.influxTimeout * 1000,
  }))
}

const HELP = `
Needs an administrator's login: a user with ALL PRIVILEGES (1.x), an all-access
token (2.x), an admin token (3.x). The collector and Grafana need less:
--credentials makes logins for them. What is not ours is never altered or
dropped.`
