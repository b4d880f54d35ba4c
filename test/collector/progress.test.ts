import t from 'tap'
import { Progress } from '../../collector/progress.ts'

t.test('what came in since the last time, and what there is now', async t => {
  const progress = new Progress()
  const stats = {
    messages: 9,
    rows: 100,
    probes: 2,
    waiting: 7,
    written: 3,
    series: 40,
    cpu_us: 0,
    rss_bytes: 0,
    spool_bytes: 0,
    spool_samples: 0,
    spool_age_us: 0,
  }
  t.equal(
    progress.since({ stats, lost: {} }, 10),
    'probes: 2; rows in 10 s: 100; series: 40; samples that wait for a sink: 7',
  )
  t.match(progress.since({ stats: { ...stats, rows: 100 }, lost: {} }, 10), /rows in 10 s: 0;/)
})
