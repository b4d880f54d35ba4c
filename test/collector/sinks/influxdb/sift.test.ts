import type { ServerResponse } from 'node:http'
import t from 'tap'
import { type Range, sift } from '../../../../collector/sinks/influxdb/sift.ts'
import { listen, listenToWrites } from '../../../harness/http_server.ts'
import { connect } from '../../../harness/influx_sink.ts'
import { batch, sample } from '../../../harness/samples.ts'

function siftIn(count: number, bad: ReadonlySet<number>, isSure: boolean) {
  let requests = 0
  const isStored = async ({ from, count }: Range) => {
    requests++
    for (let line = from; line < from + count; line++) if (bad.has(line)) return false
    return true
  }
  return sift(count, isStored, isSure).then(found => ({ found, requests }))
}

const ofRanges = (ranges: readonly Range[]) =>
  new Set(ranges.flatMap(({ from, count }) => Array.from({ length: count }, (_, at) => from + at)))

t.test('the bad lines are found, and no other', async t => {
  for (const bad of [[0], [4999], [2500], [1, 2, 3], [7, 1000, 2000, 3000, 4998]]) {
    const { found, requests } = await siftIn(5000, new Set(bad), false)
    t.same(
      found,
      bad.map(from => ({ from, count: 1 })),
    )
    t.ok(requests < 150, `${requests} requests`)
  }
})

t.test(
  'when every line fails it is not the lines, unless that is sure: the number of requests is bounded',
  async t => {
    const all = new Set(Array.from({ length: 5000 }, (_, at) => at))
    t.same(await siftIn(5000, all, false), { found: undefined, requests: 3 })
    t.same(await siftIn(1, all, false), { found: undefined, requests: 0 })
    const { found, requests } = await siftIn(5000, all, true)
    t.equal(ofRanges(found!).size, 5000)
    t.ok(requests < 250, `${requests} requests`)
    const odd = new Set([...all].filter(line => line % 2))
    const half = await siftIn(5000, odd, true)
    t.ok(half.requests < 250)
    const blamed = ofRanges(half.found!)
    t.ok([...odd].every(line => blamed.has(line)))
  },
)

/** One line of each number of them has `bad` in its tags. */
const points = (count: number, ...bad: number[]) =>
  Array.from({ length: count }, (_, at) =>
    sample([at, 1], { pod: `${bad.includes(at) ? 'bad' : 'good'}${at}` }),
  )

/** A control character in a header: Node's parser refuses the answer (HPE_INVALID_HEADER_TOKEN). */
const unreadable = (response: ServerResponse) =>
  response.socket?.end(
    'HTTP/1.1 400 Bad Request\r\nX-Influxdb-Error: bad \u001b line\r\nContent-Length: 0\r\n\r\n',
  )

t.test('a bad line is dropped with its place in the message, the others are stored', async t => {
  const troubles: [reason: string, answer: (response: ServerResponse) => unknown][] = [
    ['unreadable', unreadable],
    ['unreadable', response => response.socket?.end('this is no HTTP\r\n\r\n')],
    ['status_400', response => response.writeHead(400, { 'content-type': 'text/html' }).end('<title>WAF')],
    ['status_422', response => response.writeHead(422).end()],
    [
      'bad_request', // as 2.x does: nothing of the request is stored
      response =>
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"code":"invalid","message":"unable to parse"}'),
    ],
  ]
  for (const [reason, trouble] of troubles)
    for (const bad of [[0], [1999], [3, 4, 1000]]) {
      const stored = new Set<string>()
      const url = await listenToWrites(t, (body, response) => {
        if (body.includes('pod=bad')) return void trouble(response)
        for (const line of body.split('\n')) stored.add(line)
        response.writeHead(204).end()
      })
      await t.rejects(connect(t, { url }).write(batch(0, points(2000, ...bad))), {
        name: 'Refused',
        reason,
        samples: bad.length,
        message: /; (\d samples are dropped, )?line \d+ of \d+: container:num_flows,pod=bad/,
      })
      t.equal(stored.size, 2000 - bad.length)
    }
})

t.test(
  'when all lines are answered so, a server that answers /ping refuses them; others keep them',
  async t => {
    const bad = batch(0, points(3, 0, 1, 2))
    const influx = await listenToWrites(t, (_, response) => unreadable(response))
    await t.rejects(connect(t, { url: influx }).write(bad), {
      name: 'Refused',
      reason: 'unreadable',
      samples: 3,
    })

    const other = await listen(t, (_, response) => unreadable(response))
    await t.rejects(connect(t, { url: other }).write(bad), {
      name: 'InfluxError',
      reason: 'unreadable',
      message: /gave an answer that is not HTTP \(HPE_\w+\)/,
    })
  },
)

t.test('a list of refused lines that is longer than what is read is asked for in parts', async t => {
  const url = await listenToWrites(t, (body, response) => {
    const bad = body.split('\n').filter(line => line.includes('pod=bad'))
    if (bad.length === 0) return void response.writeHead(204).end()
    const list = bad.map(line => `unable to parse '${line}': no`).join('\n')
    const error = `partial write: ${list} dropped=0`
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  const bad = Array.from({ length: 1500 }, (_, at) => at + 200)
  const long = points(3000, ...bad).map(({ values, tags }) =>
    sample(values, { ...tags, x: 'x'.repeat(1000) }),
  )
  await t.rejects(connect(t, { url }).write(batch(0, long)), {
    name: 'Refused',
    reason: 'partial_write',
    samples: 1500,
  })
})
