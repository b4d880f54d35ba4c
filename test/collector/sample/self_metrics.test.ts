import t from 'tap'
import type { SelfTotals } from '../../../collector/counters.ts'
import { SelfMetrics } from '../../../collector/sample/self_metrics.ts'
import { linesOf } from '../../harness/samples.ts'
import { samplerOf } from '../given.ts'

const stats = {
  messages: 0,
  rows: 0,
  probes: 1,
  waiting: 0,
  written: 0,
  series: 5,
  cpu_us: 0,
  rss_bytes: 1000,
  spool_bytes: 0,
  spool_samples: 0,
  spool_age_us: 0,
}

t.test('every ten seconds a window, with counters as differences and gauges as they are', async t => {
  let totals: SelfTotals = { stats: { ...stats, messages: 3, cpu_us: 250_000 }, lost: { 'ingest/gap': 2 } }
  const own = new SelfMetrics(samplerOf('sockflux'), () => totals)
  const linesAt = (seconds: number) => {
    const batch = own.next(seconds)
    return batch && linesOf(batch).map(line => line.replace(/host=[^, ]+/, 'host=h'))
  }
  t.same(linesAt(1007.5), [
    'collector:stats,host=h messages=3,rows=0,written=0,cpu=0.25,memory=1000,queue=0,probes=1,series=5,spool=0,spool_samples=0,spool_age=0 1000',
    'collector:lost,host=h,reason=gap,stage=ingest count=2 1000',
  ])
  t.equal(linesAt(1009.9), undefined, 'that window has been told')
  totals = { stats: { ...stats, messages: 5, cpu_us: 500_000, series: 7 }, lost: { 'ingest/gap': 2 } }
  t.same(linesAt(1010), [
    'collector:stats,host=h messages=5,rows=0,written=0,cpu=0.5,memory=1000,queue=0,probes=1,series=7,spool=0,spool_samples=0,spool_age=0 1010',
  ])
  t.equal(linesAt(900), undefined, 'a clock that was set back')
})

t.test('nothing without the group stats, or for ntopng', async t => {
  for (const sampler of [samplerOf('sockflux', { metrics: ['flows'] }), samplerOf('ntopng')])
    t.equal(new SelfMetrics(sampler, () => ({ stats, lost: {} })).next(1000), undefined)
})
