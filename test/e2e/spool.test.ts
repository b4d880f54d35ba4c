/** The collector's spool in front of the real InfluxDB. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { LedgerView } from '../../collector/ledger/ledger.ts'
import { listen } from '../harness/http_server.ts'
import { type Influx, startInflux } from '../harness/influx.ts'
import { flowsAt, type Source, startSource } from '../harness/publisher.ts'
import { needs } from '../harness/skip.ts'
import { ended, logged, openSite, type Site, SOCKFLUX } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

// they wait more than they work
t.jobs = 4

const skip = needs('influxd')
const skipMount = needs('root', 'influxd')

async function setUp(t: Test, hosts: readonly string[]) {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const site = await openSite()
  t.teardown(() => site.close())
  const sources = await Promise.all(hosts.map(host => startSource(host, [site.endpoint])))
  for (const source of sources) t.teardown(() => source.close())
  return { influx, site, sources, flags: ['--sink', 'influxdb', '--influx-url', influx.url] }
}

/** Labels of the last windows before now, in their order. */
let next = Math.floor(Date.now() / 1000) - 3000
const publish = (sources: readonly Source[], count: number) => {
  for (let at = 0; at < count; at++, next++) for (const source of sources) source.publish(next)
}

const acknowledged = (sources: readonly Source[]) =>
  until('all acknowledgements', () => sources.every(({ stats }) => stats.waiting === 0), 40_000)

const linesOf = (influx: Influx): Promise<string[]> =>
  influx.query('select as_client from "host:num_flows" group by host', 'sockflux').then(
    rows => rows.map(({ host, time, as_client }) => `${host} ${time} ${as_client}`).sort(),
    () => [],
  )

const expected = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ host, times }) => times.map(time => `${host} ${time} ${flowsAt(time)}`)).sort()

async function allThere(t: Test, influx: Influx, sources: readonly Source[]) {
  const all = expected(sources)
  await until('all lines', async () => (await linesOf(influx)).length >= all.length, 60_000).catch(() => {})
  t.same(await linesOf(influx), all, 'every line is there once, with its number')
}

const ledgerIn = (site: Site): string => {
  const directory = join(site.spool, 'collector')
  return join(directory, readdirSync(directory).find(name => /^ledger-\w+\.json$/.test(name)) ?? '')
}

/** produced = stored + refused + lost + waiting */
function balanced(t: Test, sinks: LedgerView['sinks']) {
  for (const { sink, produced, stored, refused, lost, waiting } of sinks)
    for (const unit of ['batches', 'samples'] as const) {
      const gone = Object.values(lost).reduce((sum, amount) => sum + amount[unit], 0)
      t.equal(produced[unit], stored[unit] + refused[unit] + gone + waiting[unit], `${unit} of ${sink}`)
    }
}

const influxOf = async (site: Site) => {
  const { sinks } = await site.stats()
  return sinks['influxdb']! as unknown as { spool: Record<string, number> }
}

t.test('a database that is away, a collector that is killed: every line is there once', { skip }, async t => {
  const { influx, site, sources, flags } = await setUp(t, ['a', 'b', 'c'])
  const first = await site.collector(flags)
  publish(sources, 5)
  await acknowledged(sources)
  await influx.stop()
  publish(sources, 60)
  await acknowledged(sources)
  const { batches } = (await influxOf(site)).spool
  t.ok(batches! >= 180, `${batches} are on disk`) // those of the collector itself, too
  await until(
    'the ledger',
    () => readFileSync(ledgerIn(site), 'utf8').split('"stored":{"windows":65,').length > 3,
  )
  await first.kill('SIGKILL')
  const shown = await ended([...SOCKFLUX, 'spool', '--spool', site.spool, '--json'])
  const [queue] = JSON.parse(shown.stdout) as { for: string; records: number; hosts: object }[]
  t.match(queue, { for: /^influxdb http\S+ sockflux$/, records: batches, damaged: 0, isUsed: false })
  for (const host of ['a', 'b', 'c']) t.match(queue?.hosts, { [host]: { records: 60 } })
  await site.collector(flags)
  t.ok((await influxOf(site)).spool['batches']! >= batches!, 'and there again')
  publish(sources, 5)
  await influx.start()
  await allThere(t, influx, sources)
  await until('an empty spool', async () => (await influxOf(site)).spool['batches'] === 0)
  await acknowledged(sources)
  const { probes, sinks } = await site.ledger()
  for (const { host, produced, stored, lost, waiting } of probes) {
    t.same([produced.windows, stored.windows, waiting.windows], [70, 70, 0], `the windows of ${host}`)
    t.equal(produced.rows, stored.rows)
    t.same(lost, { missing: { windows: 0, rows: 0 }, dropped: { windows: 0, rows: 0 } })
  }
  balanced(t, sinks)
  t.ok(sinks[0]!.stored.batches >= 210)
  const { stdout } = await site.run('ledger')
  t.match(stdout, /^since \S+, kept in \S+\n/)
  t.match(stdout, /^a +windows +70 +70 +0 +0 +0$/m)
  t.match(stdout, /^influxdb http\S+ sockflux +batches +\d/m)
  const table = await ended([...SOCKFLUX, 'spool', '--spool', site.spool])
  t.match(table.stdout, /^collector +influxdb http\S+ sockflux +0 +0 +0 /m)
})

t.test('what waits when the collector stops is kept; another database does not get it', { skip }, async t => {
  const { influx, site, sources, flags } = await setUp(t, ['a'])
  const first = await site.collector(flags)
  await influx.stop()
  publish(sources, 10)
  await until('the windows', async () => (await site.stats()).received >= 10)
  await first.kill()
  await until('what was not stored is acknowledged at the end', () => sources[0]!.stats.waiting === 0)
  await influx.start()
  const other = await site.collector([...flags, '--influx-database', 'other'])
  await logged(other, /\d+ samples in \S+ wait for influxdb \S+ sockflux, which is not written to any more/)
  publish(sources, 2)
  await acknowledged(sources)
  t.same(await linesOf(influx), [])
  await other.kill()
  await site.collector(flags)
  const kept = expected(sources).slice(0, 10)
  await until('the lines', async () => (await linesOf(influx)).length >= 10)
  t.same(await linesOf(influx), kept)
})

t.test('hosts whose samples are refused, through the spool: nobody else is held up', { skip }, async t => {
  const { influx, site, sources } = await setUp(t, ['a', 'b', 'bad', 'old'])
  await influx.query('create database sockflux with duration 2h')
  let isAway = true
  const proxy = await listen(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const isPacked = request.headers['content-encoding'] === 'gzip'
    if (isAway) return response.writeHead(503).end()
    if ((isPacked ? gunzipSync(body) : body).includes('host=bad'))
      return response.writeHead(400, { 'content-type': 'text/html' }).end('<title>not through here')
    const answer = await fetch(`${influx.url}${request.url}`, {
      method: request.method ?? 'GET',
      ...(body.length > 0 && { body }),
      ...(isPacked && { headers: { 'content-encoding': 'gzip' } }),
    })
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-')))
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()))
  })
  const collector = await site.collector(['--sink', 'influxdb', '--influx-url', proxy])
  const [a, b, bad, old] = sources
  const some = (count: number) => {
    publish([bad!], Math.ceil(count / 10))
    publish([a!, b!], count)
    for (let at = 0; at < count; at++) old!.publish(next - 40_000 + at)
  }
  some(30)
  await acknowledged(sources)
  t.ok((await influxOf(site)).spool['batches']! >= 93, 'all are on disk')
  isAway = false
  some(5)
  await allThere(t, influx, [a!, b!])
  await acknowledged(sources)
  // its batches are given up one by one, while others are stored
  const isEmpty = async () => {
    publish([a!, b!], 1)
    await sleep(200)
    return (await influxOf(site)).spool['batches'] === 0
  }
  await until('an empty spool', isEmpty, 60_000)
  await acknowledged(sources)
  t.same(
    (await linesOf(influx)).filter(line => /^(bad|old) /.test(line)),
    [],
  )
  const { probes, sinks } = await site.ledger()
  for (const { host, produced, stored, waiting } of probes) {
    const { length } = sources.find(source => source.host === host)!.times
    t.same(
      [produced.windows, stored.windows, waiting.windows],
      [length, length, 0],
      `the windows of ${host} are settled`,
    )
  }
  balanced(t, sinks)
  const [sink] = sinks
  t.equal(sink!.refused.batches, 4 + 35, 'of the two')
  t.same(sink!.lost, {})
  t.match(collector.stderr, /the window of host \\"bad\\" failed 3 times while others were stored/)
  t.match(collector.stderr, /points beyond retention policy/)
})

t.test('a sink that stores goes on beside one that is away', { skip }, async t => {
  const { influx, site, sources, flags } = await setUp(t, ['a', 'b'])
  await site.collector(['--sink', 'embedded', ...flags])
  await influx.stop()
  publish(sources, 20)
  await acknowledged(sources)
  const rows = await site.query('select count(*) as n from "host:num_flows"')
  t.same(rows, [{ n: 40 }])
  await influx.start()
  await allThere(t, influx, sources)
})

const segmentsIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.seg'))
    .map(name => join(directory, name))

t.test('a spool that was cut and scrambled costs what was hit, counted', { skip }, async t => {
  const { influx, site, sources, flags } = await setUp(t, ['a', 'b'])
  const first = await site.collector(flags)
  await influx.stop()
  publish(sources, 30)
  await acknowledged(sources)
  await first.kill('SIGKILL')
  const [segment] = segmentsIn(site.spool)
  const { size } = statSync(segment!)
  truncateSync(segment!, size - 10)
  writeFileSync(segment!, Buffer.alloc(50, 0xa5), { flag: 'r+' }) // its first record
  await site.collector(flags)
  await influx.start()
  await until('an empty spool', async () => (await influxOf(site)).spool['batches'] === 0, 30_000)
  const lines = await linesOf(influx)
  const all = new Set(expected(sources))
  t.same(
    lines.filter(line => !all.has(line)),
    [],
    'nothing that was not sent',
  )
  t.equal(lines.length, 58, 'two batches are lost')
  const { sinks } = await site.ledger()
  t.equal(sinks[0]!.lost['spool_damaged']?.batches, 2)
  balanced(t, sinks)
})

t.test(
  'a disk that is full: windows wait at the probe, and go to disk when there is room',
  { skip: skipMount },
  async t => {
    const { influx, site, sources, flags } = await setUp(t, ['a', 'b'])
    const disk = join(site.directory, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk])
    t.teardown(() => execFileSync('umount', ['-l', disk]))
    const full = join(disk, 'full')
    const collector = await site.collector([...flags, '--spool', join(disk, 'spool')])
    await influx.stop()
    publish(sources, 5)
    await acknowledged(sources)
    execFileSync('sh', ['-c', `cat /dev/zero > '${full}' 2>/dev/null || true`])
    publish(sources, 20)
    await logged(collector, /ENOSPC.*acknowledged when they are stored/)
    t.ok(
      sources.some(({ stats }) => stats.waiting > 0),
      'they wait',
    )
    execFileSync('rm', [full])
    await acknowledged(sources)
    await influx.start()
    await allThere(t, influx, sources)
    t.equal(collector.stderr.match(/ENOSPC/g)?.length, 1, 'one line a minute')
  },
)
