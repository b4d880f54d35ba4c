import { pino } from 'pino'
import t from 'tap'
import {
  collectorDirectory,
  LeftSpools,
  type SpoolSettings,
  spoolOf,
  targetsIn,
} from '../../../collector/sinks/spools.ts'
import { openSpool } from '../../../wire/spool/spool.ts'
import { temporary } from '../../harness/embedded.ts'

const settingsIn = (spool: string | undefined): SpoolSettings => ({ spool, spoolSize: 2 ** 20, spoolAge: 1 })

t.test('a spool is that of one sink and one target', async t => {
  const settings = settingsIn(await temporary(t))
  const [a, again, b] = ['http://x one', 'http://x one', 'http://x two'].map(
    target => spoolOf(settings, 'influxdb', target)?.directory,
  )
  t.equal(a, again)
  t.not(a, b)
  t.same(
    targetsIn(collectorDirectory(settings.spool)!)
      .map(({ target }) => target)
      .sort(),
    ['influxdb http://x one', 'influxdb http://x two'],
  )
  t.equal(spoolOf(settings, 'embedded', undefined), undefined, 'a sink on this machine has none')
  t.equal(spoolOf(settingsIn('off'), 'influxdb', 'http://x one'), undefined)
})

t.test('what waits for another target is said, and grows old', async t => {
  const settings = settingsIn(await temporary(t))
  const place = spoolOf(settings, 'influxdb', 'http://x old')!
  const spool = await openSpool({ ...place, found: () => {}, now: () => Date.now() - 2 * 3_600_000 })
  await spool.append([{ head: { host: 'h' }, frames: [Buffer.alloc(10)], windows: 1, rows: 30 }])
  await spool.close()
  const said: string[] = []
  const log = pino({}, { write: line => said.push(line) })
  const used = spoolOf(settings, 'influxdb', 'http://x new')
  const left = await LeftSpools.open({ ...settings, spoolAge: 24 }, [used?.directory], log)
  t.match(said, [
    /1 batches with 30 samples in \S+ wait for influxdb http:\/\/x old, which is not written to any more/,
  ])
  t.same(left.lost, {})
  await left.close()
  const later = await LeftSpools.open(settings, [used?.directory], log)
  t.same(later.lost, { 'influxdb/spool_old': 30 }, 'after an hour')
  await later.close()
})
