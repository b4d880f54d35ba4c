import t from 'tap'
import { startRelay } from '../harness/relay.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'
import { holdFlows } from './held.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc')
const HOST = 'queue'
const OUTAGE = 6
/** Windows that end until a connection is tried again: MAX_PAUSE_MS of probe/publish/connection.ts. The queue holds one. */
const RETRY = 5
/** Two rows of 144 bytes each, in every window: more than half of the smallest queue. */
const FLOWS = 2000

interface Sample {
  time: number
  as_client: number
}

/** The samples up to a window, once that is stored. */
function upTo(site: Site, window: number): Promise<Sample[]> {
  const sql = `select epoch(time) as time, as_client from "host:num_flows" where host = '${HOST}' order by time`
  return until(
    `window ${window}`,
    async () => {
      const rows = (await site.query(sql).catch(() => [])) as unknown as Sample[]
      return rows.some(({ time }) => time === window) && rows.filter(({ time }) => time <= window)
    },
    20_000,
  )
}

t.test('a queue that is too small drops the oldest windows, whole, and counts them', { skip }, async t => {
  await holdFlows(t, FLOWS)
  const site = await openSite()
  t.teardown(() => site.close())
  const relay = await startRelay(site.endpoint)
  t.teardown(() => relay.close())
  await site.collector()
  const probe = await site.probe(['--host', HOST, '--queue-size', '1M'], [relay.endpoint])
  const first = windowNow() + 1
  await upTo(site, first)
  await relay.cut()
  const cut = windowNow()
  for (let window = 0; window < OUTAGE; window++) await earlyInWindow()
  const joined = windowNow()
  await relay.join()
  const last = joined + RETRY + 3
  const samples = await upTo(site, last)
  const { lost, probes } = await site.stats()
  const { gap = 0, incomplete = 0, ...others } = lost
  const { 'queue/full': rows = 0, 'queue/full_windows': windows = 0, ...kept } = probes
  t.ok(gap > 0, `the collector missed ${gap} messages`)
  t.same(others, {}, 'and nothing else')
  t.same(
    Object.keys(kept).filter(reason => reason.startsWith('queue/')),
    [],
  )
  t.ok(rows >= windows * 2 * FLOWS, `${rows} rows of ${windows} windows are lost`)
  const there = new Set(samples.map(({ time }) => time))
  const missing = Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    window => !there.has(window),
  )
  const [most, note] = [missing.length + incomplete, `${windows} windows are lost`]
  t.ok(windows >= missing.length && windows <= most, `${note}: those that are missing, and what is not whole`)
  t.match(probe.stderr, /the queue is full \(1 MiB, .*\d+ rows? so far.*raise --queue-size/, 'and it says so')
  t.ok(
    missing.length > 0 && missing[0]! >= cut && missing.at(-1)! < joined + RETRY,
    `cut in ${cut}, joined in ${joined}, missing are ${missing}`,
  )
  const torn = samples.filter(sample => sample.as_client < FLOWS)
  t.equal(torn.length, incomplete, 'what is there is whole, or was cut while it was sent, and says so')
  t.ok(torn.length <= 1)
})
