import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { InfluxError } from '../../../../collector/sinks/influxdb/errors.ts'
import type { InfluxSink } from '../../../../collector/sinks/influxdb/influxdb.ts'
import { Refused } from '../../../../collector/sinks/sink.ts'
import { listen, listenToWrites } from '../../../harness/http_server.ts'
import { connect } from '../../../harness/influx_sink.ts'
import { batch, sample } from '../../../harness/samples.ts'

// The servers of these tests are what stands in InfluxDB's place in the field: login pages, wrong ports, proxies.

const many = (count: number) => Array.from({ length: count }, (_, i) => sample([i, 0.5], { pod: `c${i}` }))

async function failure(sink: InfluxSink, points = many(3)): Promise<InfluxError | Refused> {
  const error: unknown = await sink.write(batch(0, points)).then(
    () => undefined,
    error => error,
  )
  if (error instanceof InfluxError || error instanceof Refused) return error
  throw error ?? new Error('the batch counts as stored')
}

type Said = [status: number, type: string, body: string]
const html = 'text/html; charset=utf-8'
const json = 'application/json'
const say = (response: ServerResponse, [status, type, body]: Said) =>
  response.writeHead(status, type ? { 'content-type': type } : {}).end(body)

const foreign: [Said, RegExp][] = [
  [[200, html, '<html><head><title>Login</title>'], /answered 200 with text\/html \(<title>Login\)/],
  [[200, json, '{"error":"disk full"}'], /answered 200 with application\/json \({"error":"disk full"}\)/],
  [[200, json, '{"write":"ok"}'], /answered 200 with application\/json/],
  [[200, '', ''], /answered 200 with an empty body/],
  [[201, html, '<html>created'], /answered 201 with text\/html/],
  [[201, json, '{"id":7}'], /answered 201/],
  [[201, json, ''], /answered 201 with an empty body/],
  [[202, '', ''], /answered 202/],
  [[206, html, '<html>'], /answered 206/],
  [[203, 'text/plain', 'x\r\n\u001b[31my'], /answered 203 with text\/plain \(x \[31my\)/],
]

t.test('what is no answer of InfluxDB is not stored, and the sentence says what it was', async t => {
  for (const [said, message] of foreign) {
    const url = await listen(t, (_, response) => say(response, said))
    const error = await failure(connect(t, { url }))
    t.match(error, { name: 'InfluxError', reason: 'no_influxdb', message }, String(said))
    t.match(error.message, /: that is not InfluxDB; correct --influx-url$/)
  }
})

t.test('101 is reported at once', async t => {
  const answers: [lines: string, message: RegExp][] = [
    [
      'Connection: Upgrade\r\nUpgrade: websocket\r\n',
      /answered 101 with an upgrade to websocket: that is not I/,
    ],
    ['Connection: Upgrade\r\nUpgrade: h2c\r\n', /answered 101 with an upgrade to h2c: /],
    ['', /answered 101 with an upgrade to no protocol: /],
  ]
  for (const [lines, message] of answers)
    for (const version of [undefined, 1] as const) {
      const url = await listen(t, (_, { socket }) =>
        socket?.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n\x81\x05hello`),
      )
      const sink = connect(t, { url, version, timeoutMs: 60_000 })
      t.match(await failure(sink), { name: 'InfluxError', reason: 'no_influxdb', message })
    }
})

t.test('a compressed body is called so, not shown', async t => {
  const page = '<html><head><title>Login</title></head>'
  const bodies: [encoding: string | undefined, body: Buffer][] = [
    ['gzip', gzipSync(page)],
    ['x-gzip', gzipSync(page)],
    ['deflate', deflateSync(page)],
    ['br', brotliCompressSync(page)],
    ['zstd', zstdCompressSync(page)],
    [undefined, gzipSync(page)],
    [undefined, zstdCompressSync(page)],
  ]
  for (const status of [200, 400, 404, 413, 422, 502])
    for (const [encoding, body] of bodies) {
      const headers = { 'content-type': html, ...(encoding && { 'content-encoding': encoding }) }
      const url = await listen(t, (_, response) => response.writeHead(status, headers).end(body))
      const { message } = await failure(connect(t, { url }))
      t.match(message, /text\/html \(a compressed body\)/, `${status} ${encoding}`)
      t.match(message, /^[\x20-\x7e]+$/)
    }
  const plain = { 'content-type': html, 'content-encoding': 'identity' }
  const url = await listen(t, (_, response) => response.writeHead(502, plain).end(page))
  t.match(await failure(connect(t, { url })), { message: /text\/html \(<title>Login\)/ })
})

t.test('204 is stored, and 201 is stored in part when it says so', async t => {
  const answers: Said[] = [
    [204, '', ''],
    [201, json, '{"code":"invalid","message":"partial write has occurred, errors on line(s): line 2: bad"}'],
  ]
  const url = await listenToWrites(t, (_, response) => say(response, answers.shift()!))
  const sink = connect(t, { url })
  await sink.write(batch(0, many(3)))
  t.match(await failure(sink), { name: 'Refused', reason: 'partial_write', samples: 1 })
})

const nginxTls = '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>'
const waits: [Said, reason: string, message: RegExp][] = [
  [[400, html, nginxTls], 'tls', /needs TLS: write https:\/\/ in the url/],
  [[400, 'text/plain', 'Client sent an HTTP request to an HTTPS server.'], 'tls', /write https/],
  [[400, html, "Reason: You're speaking plain HTTP to an SSL-enabled server port."], 'tls', /write https/],
  [[400, 'text/plain', 'missing required Host header'], 'status_400', /not InfluxDB's own answer/],
  [[400, '', ''], 'status_400', /answered 400 with an empty body/],
  [[400, json, '{"msg":"no route"}'], 'status_400', /not InfluxDB's own answer/],
  [[422, html, '<title>422 Unprocessable</title>'], 'status_422', /<title>422 Unprocessable/],
  [[413, html, '<title>413 Request Entity Too Large</title>'], 'too_large', /413 text\/html \(<title>413/],
  [[413, json, '{"error":"Request Entity Too Large"}'], 'too_large', /raise its limit/],
  [[404, 'text/plain', '404 page not found'], 'no_influxdb', /correct --influx-url or --influx-version/],
  [[502, html, '<title>502 Bad Gateway</title>'], 'status_502', /502 text\/html \(<title>502/],
]

t.test("somebody else's refusal keeps the data, whatever is asked", async t => {
  for (const [said, reason, message] of waits) {
    const url = await listenToWrites(t, (_, response) => say(response, said))
    const sink = connect(t, { url })
    for (const points of [many(100), many(1)])
      t.match(await failure(sink, points), { name: 'InfluxError', reason, message }, String(said))
  }
})

// Any JSON of a gateway or an application; some use the names of InfluxDB's fields.
const foreignRefusals: Said[] = [
  [400, json, '{"timestamp":"2026","status":400,"error":"Bad Request","path":"/write"}'],
  [400, json, '{"code":"BadRequest","message":"The request was rejected by the gateway policy"}'],
  [422, json, '{"error":"blocked by WAF"}'],
  [422, json, '{"code":"VALIDATION","message":"unprocessable","details":[]}'],
  [400, json, '{"error":"unable to parse request body as JSON"}'],
  [400, json, '{"code":"invalid","message":"no such route","requestId":"7"}'],
  [400, json, '{"error":"bad rows","data":[{"row":1}]}'],
  [400, json, '{"message":"partial write","error":"Bad Request","status":400}'],
]
const noPing = (t: Test, said: Said, headers: Record<string, string> = {}) =>
  listen(t, (request, response) => {
    const [status, type, body] = request.url === '/ping' ? ([404, json, ''] as const) : said
    request.resume().on('end', () => {
      const own = request.url === '/ping' ? {} : headers
      response.writeHead(status, { 'content-type': type, ...own }).end(body)
    })
  })

t.test(
  'JSON of another program refuses nothing: the data waits, and the sentence shows the answer',
  async t => {
    for (const said of foreignRefusals) {
      const url = await noPing(t, said)
      for (const version of [undefined, 1, 3] as const)
        for (const points of [many(100), many(1)])
          t.match(
            await failure(connect(t, { url, version }), points),
            {
              name: 'InfluxError',
              reason: `status_${said[0]}`,
              message: /answered 4\d\d with application\/json \({".*that is not InfluxDB's own answer/,
            },
            said[2],
          )
    }
  },
)

t.test('404 in JSON of another program is no missing database', async t => {
  const url = await noPing(t, [404, json, '{"status":404,"error":"Not Found","path":"/write"}'])
  t.match(await failure(connect(t, { url })), {
    reason: 'no_influxdb',
    message: /nothing accepts samples there/,
  })
})

t.test('JSON of another program to one line: it is dropped, as the others are stored', async t => {
  for (const said of foreignRefusals.slice(0, 3)) {
    const url = await listen(t, async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString()
      say(response, request.url === '/ping' ? [404, '', ''] : body.includes('pod=c7 ') ? said : [204, '', ''])
    })
    t.match(await failure(connect(t, { url, gzip: false }), many(20)), {
      name: 'Refused',
      reason: `status_${said[0]}`,
      samples: 1,
      message: /; 1 samples are dropped, line 8 of 20: /,
    })
  }
})

t.test('InfluxDB is known by its texts, its headers or /ping', async t => {
  const texts: [Said, samples: number][] = [
    [[400, json, `{"error":"unable to parse 'x': missing fields"}`], 3],
    [[400, json, '{"error":"partial write: points beyond retention policy dropped=2"}'], 2],
    [[400, json, '{"error":"partial write: max-series-per-database limit exceeded: (1) dropped=1"}'], 1],
    [[400, json, '{"code":"invalid","message":"line too long","maxLength":9}'], 3],
    [[422, json, '{"code":"unprocessable entity","message":"failure writing points"}'], 3],
    [[400, json, '{"error":"parsing failed","data":[{"line_number":2,"error_message":"no"}]}'], 3],
    [[400, json, '{"error":"parsing failed","data":{"line_number":2,"error_message":"no"}}'], 3],
  ]
  for (const [said, samples] of texts) {
    const url = await noPing(t, said)
    t.match(await failure(connect(t, { url })), { name: 'Refused', samples }, said[2])
  }
  const unknown: Said = [400, json, '{"error":"a text of a later version"}']
  for (const name of ['X-Influxdb-Version', 'X-Influxdb-Build', 'X-Influxdb-Error']) {
    const url = await noPing(t, unknown, { [name]: 'x' })
    t.match(await failure(connect(t, { url })), { name: 'Refused', samples: 3 }, name)
  }
  const url = await listenToWrites(t, (_, response) => say(response, unknown))
  t.match(await failure(connect(t, { url, version: 1 })), { name: 'Refused', samples: 3 })
})

t.test("InfluxDB's own refusal refuses", async t => {
  const own: [Said, reason: string, samples: number][] = [
    [[400, json, '{"error":"partial write: field type conflict dropped=2"}'], 'partial_write', 2],
    [[400, json, '{"code":"invalid","message":"unable to parse points"}'], 'bad_request', 3],
    [[422, json, '{"code":"unprocessable entity","message":"outside retention"}'], 'bad_request', 3],
  ]
  for (const [said, reason, samples] of own) {
    const url = await listenToWrites(t, (_, response) => say(response, said))
    t.match(await failure(connect(t, { url })), { name: 'Refused', reason, samples }, String(said))
  }
})

t.test('CREATE DATABASE that is refused is no word about the samples', async t => {
  const answers: Said[] = [
    [400, json, '{"error":"error parsing query: found x"}'],
    [413, json, '{"error":"Request Entity Too Large"}'],
    [422, json, '{"code":"invalid","message":"no"}'],
    [200, json, '{"results":[{"statement_id":0,"error":"invalid name"}]}'],
    [200, html, '<title>Login</title>'],
    [204, '', ''],
  ]
  for (const said of answers) {
    const url = await listenToWrites(t, (_, response, { url }) =>
      say(response, url?.startsWith('/query') ? said : [404, json, '{"error":"database not found"}']),
    )
    t.match(await failure(connect(t, { url })), {
      name: 'InfluxError',
      reason: 'no_database',
      message: /^database "flows" does not exist .* cannot be created \(\d+ .*correct --influx-database$/,
    })
  }
})

t.test('a redirect is reported, not followed', async t => {
  let isFollowed = false
  const other = await listen(t, (_, response) => {
    isFollowed = true
    response.writeHead(204).end()
  })
  const long = `https://db.example/${'x'.repeat(3000)}`
  const places: [string | undefined, RegExp][] = [
    [
      `${other}/write?db=flows`,
      new RegExp(`it redirects to ${other}/? \\(308\\); if that is InfluxDB, give it`),
    ],
    ['https://influx.example:8443/write?db=x&p=secret', /redirects to https:\/\/influx.example:8443 \(308\)/],
    ['/login?next=/write', /redirects to http:\/\/127.0.0.1:\d+\/login \(308\)/],
    [long, /redirects to https:\/\/db.example\/x{100,300}… /],
    [undefined, /without a location/],
  ]
  for (const [location, message] of places) {
    const url = await listen(t, (_, response) => response.writeHead(308, location ? { location } : {}).end())
    const error = await failure(connect(t, { url, token: 'tok' }))
    t.match(error, { reason: 'redirected', message })
    t.notMatch(error.message, 'secret')
  }
  t.equal(isFollowed, false)
})

t.test('a redirect to itself gives no address to try', async t => {
  const places: ((url: string) => string)[] = [
    url => `${url}/write?db=flows&precision=s`,
    url => `${url}/`,
    () => '/write/',
    () => 'write',
    () => '?login=1',
  ]
  for (const place of places)
    for (const [path, status] of [
      ['', 302],
      ['/', 307],
      ['/influx', 301],
    ] as const) {
      const root = await listen(t, (_, response) => {
        const here = `${root}${path}`.replace(/\/$/, '')
        const location = place(here).replace(/^\//, `${path.replace(/\/$/, '')}/`)
        response.writeHead(status, { location }).end()
      })
      const error = await failure(connect(t, { url: `${root}${path}` }))
      t.match(error, {
        reason: 'redirected',
        message: `answered ${status}: it redirects to itself (a login page, or a loop); correct --influx-url`,
      })
    }
})

t.test('an endless answer is cut, a slow one ends by time-out', async t => {
  let sent = 0
  const endless = (status: number, type: string) =>
    listen(t, (_, response) => {
      response.writeHead(status, { 'content-type': type })
      const more = () => {
        while (!response.destroyed) {
          sent += 65_536
          if (!response.write(Buffer.alloc(65_536, 'x'))) break
        }
      }
      response.on('drain', more)
      more()
    })
  for (const [status, type] of [
    [200, 'text/html'],
    [400, 'application/json'],
    [500, 'text/plain'],
  ] as const) {
    sent = 0
    const error = await failure(
      connect(t, { url: await endless(status, type), version: 1, timeoutMs: 20_000 }),
    )
    t.match(
      error.message,
      status === 200 ? /answered 200 with text\/html \(x{80}…\)/ : new RegExp(`${status}`),
    )
    t.notMatch(error.message, /did not answer/)
    t.ok(sent < 50_000_000, `${sent} bytes were sent`)
  }
  const slow = await listen(t, (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(timer))
  })
  t.match(await failure(connect(t, { url: slow, timeoutMs: 200 })), { reason: 'timeout' })
})

t.test(
  'a server that hides its version and gets a token is written to as 1.x, unless there is an organisation',
  async t => {
    const asked: (string | undefined)[] = []
    const url = await listen(t, (request, response) => {
      if (request.url !== '/ping') asked.push(request.url)
      request.resume().on('end', () => response.writeHead(204).end())
    })
    await connect(t, { url, token: 'x' }).write(batch(0, many(1)))
    await connect(t, { url, token: 'x', org: 'o' }).write(batch(0, many(1)))
    t.same(asked, ['/write?db=flows&precision=s', '/api/v2/write?org=o&bucket=flows&precision=s'])
    t.match(await failure(connect(t, { url, token: 'x', version: 2 })), {
      reason: 'no_org',
      message: /^InfluxDB 2 at \S+ needs the organisation: give --influx-org or INFLUX_ORG$/,
    })
  },
)

t.test('settings that cannot be sent are refused at the start, by their names', async t => {
  const url = 'http://127.0.0.1:1'
  for (const [given, message] of [
    [{ token: 't0ken\r' }, /^--influx-token or INFLUX_TOKEN: its character 6 \(U\+000D\)/],
    [{ token: '“t0ken”' }, /INFLUX_TOKEN: its character 1 \(U\+201C\)/],
    [{ token: '\ufefft' }, /INFLUX_TOKEN: its character 1 \(U\+FEFF\)/],
    [{ database: 'metrics\r' }, /^--influx-database or INFLUX_DATABASE: its character 8 is a control/],
    [{ org: 'o\n' }, /^--influx-org or INFLUX_ORG/],
    [{ retentionPolicy: 'a\u0000' }, /^--influx-retention-policy/],
  ] as const)
    t.throws(() => connect(t, { url, ...given }), { message })
})
