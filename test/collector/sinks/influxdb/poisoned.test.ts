import type { ServerResponse } from 'node:http'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { InfluxSink } from '../../../../collector/sinks/influxdb/influxdb.ts'
import { SinkQueue } from '../../../../collector/sinks/queue.ts'
import { listenToWrites } from '../../../harness/http_server.ts'
import { batch, sample } from '../../../harness/samples.ts'

// Queue and sink together: one host whose windows trouble the server, among honest ones.

function open(t: Test, url: string) {
  const how = { createDatabase: true, timeoutMs: 300, gzip: true, linesPerRequest: 5000 }
  const sink = new InfluxSink({ url, database: 'flows', ...how })
  const lines: { msg: string; reason: string }[] = []
  const log = pino({}, { write: line => lines.push(JSON.parse(line)) })
  const queue = new SinkQueue(sink, { maxSamples: 1_000_000, log, gatherMs: 1, sleep: async () => {} })
  t.teardown(() => queue.close({ deadlineMs: 0 }))
  return { queue, lines }
}

const of = (host: string, window: number) => {
  const one = batch(
    window,
    Array.from({ length: 50 }, (_, at) => sample([at, window], { host, pod: `p${at}` })),
  )
  return { ...one, id: { ...one.id, host } }
}

const troubles: [name: string, isKept: boolean, answer: (response: ServerResponse) => unknown][] = [
  [
    'an unreadable answer',
    false,
    ({ socket }) => socket?.end('HTTP/1.1 400 Bad\r\nX-Influxdb-Error: \u001b\r\n\r\n'),
  ],
  [
    '400 of a proxy',
    false,
    response => response.writeHead(400, { 'content-type': 'text/html' }).end('<title>WAF'),
  ],
  ['413', false, response => response.writeHead(413).end()],
  ['500 of InfluxDB', true, response => response.writeHead(500).end('{"error":"engine"}')],
  ['a closed connection', true, ({ socket }) => socket?.destroy()],
  ['no answer', true, () => {}],
]

for (const [name, isKept, answer] of troubles) {
  t.test(`${name} to one host: the windows of all others are stored`, async t => {
    const url = await listenToWrites(t, (body, response) => {
      if (body.includes('host=bad')) answer(response)
      else response.writeHead(204).end()
    })
    const { queue, lines } = open(t, url)
    const settled: Promise<void>[] = []
    for (let window = 0; window < 5; window++)
      for (const host of ['a', 'bad', 'b', 'c']) {
        const { promise, resolve } = Promise.withResolvers<void>()
        queue.push(of(host, window), () => resolve())
        if (host !== 'bad') settled.push(promise)
      }
    await Promise.all(settled)
    t.equal(queue.counters.samples, 750)
    t.ok(lines.length > 0, 'and the log says so')
    const refused = Object.values(queue.counters.refused).reduce((sum, count) => sum + count, 0)
    t.equal(refused + queue.counters.waiting, 250, 'every other sample is counted')
    if (isKept) t.equal(refused, 0, 'and kept')
  })
}
