import { pino } from 'pino'
import t from 'tap'
import type { Page } from '../../../collector/serve/http.ts'
import { pagesOf } from '../../../collector/serve/pages.ts'
import { PrometheusSink } from '../../../collector/sinks/prometheus/prometheus.ts'
import { SinkQueue } from '../../../collector/sinks/queue.ts'
import type { Sink } from '../../../collector/sinks/sink.ts'
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

t.test('ready: it listens, and no queue is full', async t => {
  const { sink, comeBack } = database()
  const open = [sink, new PrometheusSink({ version: 'x' })]
  const sleep = async () => new Promise(resolve => setImmediate(resolve))
  const options = { maxSamples: 3, log: pino({ level: 'silent' }), sleep }
  const queues = open.map(sink => new SinkQueue(sink, options))
  t.teardown(() => Promise.all(queues.map(queue => queue.close({ deadlineMs: 0 }))))
  let isListening = false
  const pages = pagesOf(open, queues, () => isListening)
  const ready = (): Page => pages['/readyz']!()
  const push = (window: number) => {
    for (const queue of queues) queue.push(batch(window, [sample([1, 2]), sample([3, 4])]), () => {})
  }

  t.same(ready(), { status: 503, body: 'not listening for probes\n' })
  t.same(pages['/healthz']!(), { body: 'ok\n' }, 'but it lives')
  isListening = true
  t.same(ready(), { body: 'ready\n' })
  push(1)
  t.same(ready(), { body: 'ready\n' }, 'what a sink does not take can wait')
  push(2)
  push(3)
  t.same(ready(), { status: 503, body: 'the queue of influxdb is full: its oldest samples are dropped\n' })
  comeBack()
  await until('the sink', () => !queues[0]!.isFull)
  t.same(ready(), { body: 'ready\n' }, 'ready again')
  t.match(pages['/metrics']!().type, /^text\/plain; version=0\.0\.4/)
})
