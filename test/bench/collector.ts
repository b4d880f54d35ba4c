/** A whole collector: simulated hosts send windows of flows over ZeroMQ, samples go to a null server or to InfluxDB. */

import { join } from 'node:path'
import { ask } from '../../cli/client.ts'
import { type Closable, closable } from '../harness/cleanup.ts'
import { type Child, start } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { freePort, logged, type Stats } from '../harness/sockflux.ts'
import { cpuOf, memoryOf, since } from './cpu.ts'
import { type Database, influxDatabase, nullDatabase } from './databases.ts'
import { sockflux } from './probe.ts'
import { type HostLoad, Hosts, INTERVAL } from './simulated.ts'

export interface Load extends HostLoad {
  readonly hosts: number
  /** That are measured, after one that is not. */
  readonly windows: number
  /** Groups of measurements that are written; few, where the fold is of interest. */
  readonly metrics: string
  readonly into: 'null' | 'influxdb'
}

export interface Site {
  readonly process: Child
  readonly endpoint: string
  readonly database: Database
  stats(): Promise<Stats>
}

/** A collector that has room for everything. */
export function startCollector(
  { metrics, into }: Pick<Load, 'metrics' | 'into'>,
  nodeFlags: readonly string[] = [],
): Promise<Site & Closable> {
  return closable(async cleanup => {
    const directory = await scratch(cleanup, 'bench')
    const database = await (into === 'null' ? nullDatabase() : influxDatabase())
    cleanup.defer(() => database.close())
    const [endpoint, socket] = [`tcp://127.0.0.1:${await freePort()}`, join(directory, 'collector.sock')]
    const spool = ['--spool', join(directory, 'spool')]
    const where = ['--listen', endpoint, '--socket', socket, ...spool, '--influx-url', database.url]
    const room = ['--max-series', '10000000', '--waiting-samples', '100000000']
    const flags = [...where, ...room, '--no-influx-gzip', '--metrics', metrics]
    const child = start([...sockflux(nodeFlags), 'collector', ...flags])
    cleanup.defer(() => child.close())
    await logged(child, /"msg":"started"/)
    const stats = async () => JSON.parse((await ask(socket, 'GET', '/stats')).body) as Stats
    return { process: child, endpoint, database, stats }
  })
}

const written = ({ sinks }: Stats): number => sinks['influxdb']!.samples

/** @throws unless every row was folded, nothing was lost and each container has its sample of each window */
async function check(load: Load, rowsOfHost: number, { stats, database }: Site): Promise<void> {
  const { rows, lost, sinks } = await stats()
  const { dropped, refused, waiting } = sinks['influxdb']!
  const windows = load.windows + 1
  const lines = await database.lines('container:num_flows')
  const [wantedRows, wantedLines] = [
    load.hosts * rowsOfHost * windows,
    load.hosts * load.containers * windows,
  ]
  const losses = JSON.stringify({ ...lost, ...refused, dropped, waiting })
  if (rows !== wantedRows || lines !== wantedLines || !/^{"dropped":0,"waiting":0}$/.test(losses))
    throw new Error(`${rows} of ${wantedRows} rows, ${lines} of ${wantedLines} lines, lost ${losses}`)
}

async function measure(load: Load) {
  const site = await startCollector(load)
  const { pid } = site.process
  const before = memoryOf(pid, 'VmRSS')
  const hosts = new Hosts(site.endpoint, load.hosts, load)
  try {
    await hosts.window() // the code gets warm, the series are made
    const [cpu, began, lines] = [cpuOf(pid), performance.now(), written(await site.stats())]
    for (let window = 0; window < load.windows; window++) await hosts.window()
    const wall = (performance.now() - began) / 1000
    const { user, kernel } = since(cpu, cpuOf(pid))
    const now = await site.stats()
    await check(load, hosts.rows, site)
    const seconds = Math.max(0.01, user + kernel) // a tick
    return { seconds, wall, lines: written(now) - lines, before, most: memoryOf(pid, 'VmHWM') }
  } finally {
    hosts.close()
    await site.close()
  }
}

const ALL = 'flows,rtt,rtt_dist,traffic,tcp,connect'
/** The same number of rows from few hosts and from many; then many lines for few rows. */
const LOADS: readonly Load[] = [
  { hosts: 10, containers: 20, rows: 100_000, windows: 3, metrics: 'flows', into: 'null' },
  { hosts: 100, containers: 20, rows: 10_000, windows: 3, metrics: 'flows', into: 'null' },
  { hosts: 1000, containers: 20, rows: 1000, windows: 3, metrics: 'flows', into: 'null' },
  { hosts: 1000, containers: 20, rows: 1000, windows: 3, metrics: ALL, into: 'null' },
  { hosts: 1000, containers: 20, rows: 1000, folds: true, windows: 3, metrics: ALL, into: 'null' },
  { hosts: 300, containers: 200, rows: 400, windows: 3, metrics: ALL, into: 'null' },
  { hosts: 100, containers: 100, rows: 400, windows: 3, metrics: ALL, into: 'influxdb' },
]

const grouped = (value: number): string => Math.round(value).toLocaleString('en')

export async function benchCollector(loads = LOADS): Promise<string[][]> {
  const table: string[][] = []
  for (const load of loads) {
    const { seconds, wall, lines, before, most } = await measure(load)
    const rows = load.hosts * load.rows
    const kinds = load.metrics === ALL ? 'all metrics' : `${load.metrics} only`
    const where = load.into === 'null' ? 'a null server' : 'InfluxDB'
    table.push([
      `${grouped(rows)} rows a window of ${grouped(load.hosts)} hosts with ${load.containers} containers each, ${load.folds ? 'folded by the probes, ' : ''}${kinds}, into ${where}`,
      [
        `${grouped((rows * load.windows) / seconds)} rows per CPU second from message to samples`,
        `${grouped(lines / load.windows)} lines a window`,
        `${grouped(lines / seconds)} lines per CPU second`,
        `${grouped(lines / wall)} lines a second`,
        `${((seconds / load.windows / INTERVAL) * 100).toFixed(1)} % of a core with windows of ${INTERVAL} s`,
        `${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most`,
      ].join(', '),
    ])
  }
  return table
}
