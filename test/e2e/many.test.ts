import t from 'tap'
import { needs } from '../harness/skip.ts'
import { freePort, openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'

const skip = needs('root', 'bpf')

interface Sample {
  time: number
  ifid: string
  host: string
  as_client: number
  as_server: number
}

/** What a collector stored of one probe's host from a window to another, once that is there. */
function samplesOf(site: Site, host: string, first: number, last: number): Promise<Sample[]> {
  const sql = `select epoch(time) as time, ifid, host, as_client, as_server from "host:num_flows"
    where host = '${host}' and epoch(time) >= ${first} order by time`
  return until(
    `window ${last} of ${host}`,
    async () => {
      const rows = (await site.query(sql).catch(() => [])) as unknown as Sample[]
      return rows.some(({ time }) => time >= last) && rows.filter(({ time }) => time <= last)
    },
    20_000,
  )
}

const range = (first: number, last: number, step: number) =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step)

t.test('probes of several hosts and intervals, several endpoints, several collectors', { skip }, async t => {
  const [north, south] = [await openSite(), await openSite()]
  t.teardown(() => Promise.all([north.close(), south.close()]))
  const second = `tcp://127.0.0.1:${await freePort()}`
  await north.collector(['--listen', north.endpoint, '--listen', second])
  await south.collector()
  await north.probe(['--host', 'alpha'], [north.endpoint, south.endpoint])
  await north.probe(['--host', 'beta', '--interval', '2'])
  await north.probe(['--host', 'gamma'], [second])
  const first = windowNow() + 2
  const even = first + (first % 2)
  for (let window = 0; window < 4; window++) await earlyInWindow()
  const last = even + 4

  const alpha = await samplesOf(north, 'alpha', first, last)
  const beta = await samplesOf(north, 'beta', first, last)
  const gamma = await samplesOf(north, 'gamma', first, last)
  const times = (samples: Sample[]) => samples.map(({ time }) => time)
  const ifids = (samples: Sample[]) => [...new Set(samples.map(({ ifid }) => ifid))]
  t.same(times(alpha), range(first, last, 1), 'a window each second')
  t.same(times(gamma), range(first, last, 1), 'from another probe as well')
  t.same(times(beta), range(even, last, 2), 'and every other second, where the interval is two')
  t.same([alpha, beta, gamma].map(ifids), [['0'], ['0'], ['1']], 'with the number of their endpoint')
  t.same(await samplesOf(south, 'alpha', first, last), alpha, 'a second collector has the same')
  t.same(await south.query(`select distinct host from "host:num_flows"`), [{ host: 'alpha' }])
  for (const site of [north, south]) t.same(await site.losses(), {}, 'nothing was lost')
})
