import t from 'tap'
import { Progress } from '../../probe/progress.ts'

const window = {
  index: 0,
  startNs: 0n,
  endNs: 0n,
  time: Date.UTC(2026, 0, 2, 3, 4, 10) / 1000,
  clockOffsetNs: 0n,
  partial: false,
}

t.test('a window is a line with its rows, and with what waits', async t => {
  const progress = new Progress(10)
  t.equal(
    progress.ended(window, { rows: 100, waiting: 0, bytes: 0 }),
    'window until 03:04:10 UTC: 100 rows; messages that wait for a collector: 0, 0.0 MiB',
  )
  t.match(
    progress.ended(window, { rows: 130, waiting: 3, bytes: 3 * 2 ** 20 }),
    /: 30 rows; .*: 3, 3\.0 MiB$/,
  )
})

for (const interval of [1, 10, 3600])
  t.test(`with windows of ${interval} s, silence is a fault after three of them and ten seconds`, async t => {
    let now = 5000
    const progress = new Progress(interval, () => now)
    now += 3 * interval * 1000 + 10_000
    t.equal(progress.fault(), undefined)
    now += 1
    t.match(progress.fault(), /^no window has ended for \d+ s$/)
    progress.ended(window, { rows: 0, waiting: 0, bytes: 0 })
    t.equal(progress.fault(), undefined)
  })
