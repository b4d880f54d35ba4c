import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { connect } from '../../../harness/influx_sink.ts'
import { batch, sample } from '../../../harness/samples.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => sample([i, 0.5], { container: `c${i}` }))

t.test('hosts that do not answer are sentences', async t => {
  const one = batch(0, [sample([1, 2])])
  await t.rejects(connect(t, { url: 'http://127.0.0.1:1' }).write(one), {
    message: 'nothing listens at http://127.0.0.1:1: start InfluxDB or correct the host and port of the url',
  })
  await t.rejects(connect(t, { url: 'http://influx.invalid:8086' }).write(one), {
    reason: /ENOTFOUND|EAI_AGAIN/,
    message: /InfluxDB at http:\/\/influx.invalid:8086.*check the url and the name server/,
  })
  const deaf = createServer(() => {})
  const url = await listen(t, deaf)
  await t.rejects(connect(t, { url, timeoutMs: 50 }).write(one), {
    message: `InfluxDB at ${url} did not answer in 50 ms`,
  })
  await t.rejects(connect(t, { url: url.replace('http', 'https'), timeoutMs: 5000 }).write(one), {
    message: /does not speak TLS: write http:/,
  })
  t.throws(() => connect(t, { url: 'influx://u:secret@host' }), {
    message: /needs an address such as \S+, not …@host/,
  })
})

t.test('a program that does not speak HTTP: the sentence names it first', async t => {
  const programs: ((socket: Socket) => unknown)[] = [
    socket => socket.pipe(socket), // echo
    socket => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    socket => socket.write('220 mail.example ESMTP\r\n'),
    socket => socket.write("-ERR unknown command 'POST'\r\n"),
  ]
  for (const program of programs) {
    const server = createTcpServer(socket => program(socket.on('error', () => {})))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    for (const count of [1, 20])
      await t.rejects(connect(t, { url }).write(batch(0, many(count))), {
        name: 'InfluxError',
        reason: 'unreadable',
        message:
          /gave an answer that is not HTTP \(HPE_\w+\): another program listens there; correct --influx-url/,
      })
  }
})

// InfluxDB 2 and 3 are in no package of this system. So these tests look at the requests that reach a plain HTTP
// server which answers as their documentation says: the one stand-in of the sinks' tests.
interface Request {
  line: string
  headers: IncomingHttpHeaders
  body: string
}
type Answer = [status: number, headers?: Record<string, string>, body?: string]

async function standIn(t: Test, version: string, answer: (request: Request) => Answer = () => [204]) {
  const requests: Request[] = []
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    const raw = Buffer.concat(chunks)
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString()
    const seen = { line: `${request.method} ${request.url}`, headers: request.headers, body }
    const ping = request.url === '/ping'
    if (!ping) requests.push(seen)
    const [status, headers, text] = ping ? ([204, { 'x-influxdb-version': version }] as Answer) : answer(seen)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  })
  return { url: await listen(t, server), requests }
}

async function listen(t: Test, server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

t.test('2.x: organisation, bucket, token and gzip', async t => {
  const { url, requests } = await standIn(t, 'v2.7.1')
  const sink = connect(t, { url, token: 'tok', org: 'my org', database: 'a/b' })
  await sink.write(batch(0, many(100)))
  t.equal(requests.length, 1)
  t.equal(requests[0]?.line, 'POST /api/v2/write?org=my+org&bucket=a%2Fb&precision=s')
  t.match(requests[0]?.headers, { authorization: 'Token tok', 'content-encoding': 'gzip' })
  t.equal(requests[0]?.body.split('\n').length, 100)
  t.equal(
    requests[0]?.body.split('\n')[7],
    'container:num_flows,container=c7 as_client=7,as_server=0.5 1767323040',
  )
})

t.test('2.x without an organisation is a sentence', async t => {
  const { url } = await standIn(t, 'v2.7.1')
  await t.rejects(connect(t, { url, token: 'tok' }).write(batch(0, many(1))), {
    message: /give --influx-org/,
  })
})

t.test('3.x: the compatible path without an organisation; lines refused are counted', async t => {
  const said = JSON.stringify({
    error: 'partial write of line protocol occurred',
    data: [{ line_number: 2 }],
  })
  const { url, requests } = await standIn(t, '3.0.1', () => [400, {}, said])
  await t.rejects(connect(t, { url, token: 'tok' }).write(batch(0, many(3))), {
    name: 'Refused',
    reason: 'partial_write',
    samples: 1,
  })
  t.equal(requests[0]?.line, 'POST /api/v2/write?bucket=flows&precision=s')
  t.equal(requests[0]?.headers['content-encoding'], undefined, 'a small body is not worth gzip')
})

t.test('a version that is said is not asked for', async t => {
  const { url, requests } = await standIn(t, 'v2.7.1')
  await connect(t, { url, version: 1, retentionPolicy: 'week' }).write(batch(0, many(1)))
  t.equal(requests[0]?.line, 'POST /write?db=flows&rp=week&precision=s')
})

t.test('413 halves the request until it fits, then it grows again', async t => {
  const lines = (request: Request) => request.body.split('\n').length
  let most = 30
  const { url, requests } = await standIn(t, '1.8.0', request => [lines(request) > most ? 413 : 204])
  const sink = connect(t, { url, linesPerRequest: 1000 })
  await sink.write(batch(0, many(100)))
  t.same(requests.map(lines), [100, 50, 25, 26, 27, 22])
  for (let window = 1; window < 20; window++) await sink.write(batch(window, many(100)))
  const stored = requests.filter(request => lines(request) <= most).length
  t.ok(
    requests.length - stored < stored / 5,
    `${requests.length - stored} of ${requests.length} are too large`,
  )
  most = 1000
  for (let window = 20; window < 40; window++) await sink.write(batch(window, many(1000)))
  t.equal(lines(requests.at(-1)!), 1000)
})

t.test('413 to everything keeps the samples, and costs few requests', async t => {
  let isFull = true
  const own = '{"error":"Request Entity Too Large"}'
  const { url, requests } = await standIn(t, '1.8.0', () => (isFull ? [413, {}, own] : [204]))
  const sink = connect(t, { url })
  const too = { name: 'InfluxError', reason: 'too_large', status: 413 }
  await t.rejects(sink.write(batch(0, many(5000))), too)
  t.ok(requests.length < 20)
  for (let again = 0; again < 20; again++) await t.rejects(sink.write(batch(0, many(5000))), too)
  await t.rejects(sink.write(batch(0, many(1))), too)
  isFull = false
  requests.length = 0
  await sink.write(batch(0, many(5000)))
  t.ok(requests.length < 20, `${requests.length} requests`)
})

t.test('one sample that is too large is dropped, if others are stored', async t => {
  for (const at of [0, 7, 99]) {
    const { url } = await standIn(t, '1.8.0', ({ body }) => [body.includes(',container=long') ? 413 : 204])
    const points = many(100)
    points[at] = sample([1, 1], { container: `long${'x'.repeat(1000)}` })
    await t.rejects(connect(t, { url }).write(batch(0, points)), {
      name: 'Refused',
      reason: 'too_large',
      samples: 1,
      message: /1 samples are dropped, line 1 of 1: container:num_flows,container=longx{100,}…/,
    })
  }
})

t.test('429 and 503 carry what the server asked for', async t => {
  const answers: Answer[] = [
    [429, { 'retry-after': '7' }],
    [503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }],
  ]
  const { url } = await standIn(t, '1.8.0', () => answers.shift() ?? [204])
  const sink = connect(t, { url })
  await t.rejects(sink.write(batch(0, many(1))), { name: 'InfluxError', status: 429, retryAfterMs: 7000 })
  const error = await sink.write(batch(0, many(1))).then(
    () => t.fail(),
    error => error,
  )
  t.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 60_000)
  await sink.write(batch(0, many(1)))
})
