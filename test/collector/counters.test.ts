import t from 'tap'
import { Counters, costs } from '../../collector/counters.ts'

t.test('counters of parts are added up, losses by their reason', async t => {
  const counters = new Counters()
  counters.add(
    { stats: () => ({ rows: 2, series: 1 }), losses: () => ({ 'a/full': 1 }), view: () => ({ rows: 2 }) },
    {
      stats: () => ({ rows: 3 }),
      losses: () => ({ 'a/full': 2, 'b/late': 4 }),
      view: () => ({ sinks: {} }),
    },
    {},
  )
  t.same(counters.totals(), {
    stats: {
      ...{ messages: 0, rows: 5, probes: 0, waiting: 0, written: 0, series: 1 },
      ...{ cpu_us: 0, rss_bytes: 0, spool_bytes: 0, spool_samples: 0, spool_age_us: 0 },
    },
    lost: { 'a/full': 3, 'b/late': 4 },
  })
  t.same(counters.view(), { rows: 2, sinks: {} })
})

t.test('the process costs something', async t => {
  const counters = new Counters()
  counters.add(costs)
  const { cpu_us, rss_bytes } = counters.totals().stats
  t.ok(cpu_us > 0 && rss_bytes > 2 ** 20, `${cpu_us} us, ${rss_bytes} bytes`)
})
