import { pino } from 'pino'
import t from 'tap'
import { healthPages } from '../../../collector/serve/pages.ts'
import type { Sink } from '../../../collector/sinks/sink.ts'
import { Sinks } from '../../../collector/sinks/sinks.ts'
import { batch, sample } from '../../harness/samples.ts'
import { until } from '../../harness/until.ts'

/** A database that can be away. */
function database() {
  let isAway = true
  const sink: Sink = {
    name: 'influxdb',
    write: async () => {
      if (isAway) throw new Error('away')
    },
    close: async () => {},
  }
  return { sink, comeBack: () => (isAway = false) }
}
const wants = { samples: 'profile', distributions: false } as const
const log = pino({ level: 'silent' })

t.test('ready: it listens, no queue is full, and no sink reports a fault', async t => {
  const { sink, comeBack } = database()
  let trouble: string | undefined
  const sinks = new Sinks([{ sink, wants, unready: () => trouble }], 3, log)
  t.teardown(() => sinks.close())
  let isListening = false
  const pages = healthPages(() => (isListening ? sinks.unready() : 'not listening for probes'))
  const ready = () => pages['/readyz']!()
  const push = (window: number) => {
    for (const outlet of sinks.outlets) outlet.push(batch(window, [sample([1, 2]), sample([3, 4])]), () => {})
  }

  t.same(ready(), { status: 503, body: 'not listening for probes\n' })
  t.same(pages['/healthz']!(), { body: 'ok\n' }, 'but it lives')
  isListening = true
  t.same(ready(), { body: 'ready\n' })
  push(1)
  t.same(ready(), { body: 'ready\n' }, 'what a sink does not take can wait')
  push(2)
  push(3)
  t.same(ready(), { status: 503, body: 'the queue of influxdb is full; its oldest samples are dropped\n' })
  comeBack()
  await until('the sink', () => sinks.unready() === undefined)
  t.same(ready(), { body: 'ready\n' }, 'ready again')
  trouble = 'the disk is full'
  t.same(ready(), { status: 503, body: 'influxdb: the disk is full\n' })
})
