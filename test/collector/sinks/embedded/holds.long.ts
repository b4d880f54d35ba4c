/** Ten days of a host with many pods. */

import { readdirSync } from 'node:fs'
import t from 'tap'
import { openStore, rows, temporary } from '../../../harness/embedded.ts'
import { batch, sample, start } from '../../../harness/samples.ts'

const DAY = 86_400
t.setTimeout(600_000)

t.test('500 columns, 10 days, a million samples, a restart on each day', { timeout: 600_000 }, async t => {
  const directory = await temporary(t)
  const measurements = Array.from({ length: 50 }, (_, index) => ({
    name: `wide:m${index}`,
    fields: Array.from({ length: 7 }, (_, field) => `f${field}`),
  }))
  const WINDOWS = 20
  const CONTAINERS = 100
  let samples = 0
  for (let day = 0; day < 10; day++) {
    const now = () => (start + day * DAY) * 1000
    for (let run = 0; run < 2; run++) {
      const sink = await openStore(t, directory, { maxAgeDays: 30, now })
      for (let window = run * 10; window < run * 10 + WINDOWS / 2; window++) {
        const points = measurements.flatMap(measurement =>
          Array.from({ length: CONTAINERS }, (_, container) =>
            sample(
              Array.from({ length: 7 }, () => Math.random()),
              { container: `c${container}`, pod: `p${container >> 1}` },
              measurement,
            ),
          ),
        )
        samples += points.length
        await sink.write(batch(window, points, start + day * DAY))
      }
      t.match(sink.counters, { damagedDays: 0, damagedLogs: 0, reopened: 0 })
      await sink.close()
    }
  }
  t.equal(samples, 1_000_000)
  const sink = await openStore(t, directory, { maxAgeDays: 30, now: () => (start + 9 * DAY) * 1000 })
  t.same(await rows(sink, 'SELECT count(*) FROM "wide:m49"'), [[String(10 * WINDOWS * CONTAINERS)]])
  t.equal(readdirSync(directory).filter(name => name.includes('damaged')).length, 0)
})
