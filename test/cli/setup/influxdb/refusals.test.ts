import type { ServerResponse } from 'node:http'
import t from 'tap'
import { listen } from '../../../harness/http_server.ts'
import { setup } from './given.ts'

// What stands in InfluxDB's place in the field: login pages, proxies, wrong ports, other programs.

type Said = [status: number, type: string, body: string, headers?: Record<string, string>]
const html = 'text/html; charset=utf-8'
const json = 'application/json'

const say = (response: ServerResponse, [status, type, body, headers = {}]: Said) =>
  response.writeHead(status, { 'content-type': type, ...headers }).end(body)

const PAGE = '<html><head><title>Sign in</title></head></html>'
const answers: [Said, RegExp][] = [
  [
    [200, html, PAGE],
    /answered 200 with text\/html \(<title>Sign in\): that is not InfluxDB; correct --influx-url$/,
  ],
  [[200, json, '[]'], /that is not InfluxDB/],
  [[200, json, '{}'], /that is not InfluxDB/],
  [[200, json, '{"results":{"a":1}}'], /that is not InfluxDB/],
  [[200, json, '{"results":[]}'], /refuses SHOW USERS: no result/],
  [
    [200, json, '{"results":[{"error":"\\u001b[2Jx\\ny"}]}'],
    /refuses SHOW USERS: \[2Jx y; correct the setting/,
  ],
  [[200, json, '{"results":[{"series":[{"columns":["a"],"values":{"b":1}}]}]}'], /that is not InfluxDB/],
  [[200, json, `{"results":[{"series":[{"columns":["${'x'.repeat(2 ** 21)}"]}]}]}`], /that is not InfluxDB/],
  [[204, '', ''], /that is not InfluxDB/],
  [
    [302, '', '', { location: 'https://login.example/?to=x' }],
    /redirects to https:\/\/login\.example \(302\); if that is InfluxDB, give it as --influx-url/,
  ],
  [[307, '', '', { location: '/query' }], /it redirects to itself/],
  [[308, '', ''], /redirects \(308\) without a location/],
  [[400, html, 'Client sent an HTTP request to an HTTPS server.'], /needs TLS: write https:\/\//],
  [
    [400, json, '{"error":"error parsing query: found x"}'],
    /refuses to run SHOW USERS \(it answered 400 error parsing query: found x\)/,
  ],
  [
    [401, json, '{"error":"authorization failed"}'],
    /refuses the login of a client without a user name: check INFLUX_USERNAME/,
  ],
  [[401, html, PAGE], /refuses the login .*\(it answered 401 text\/html \(<title>Sign in\)\)/],
  [
    [
      403,
      json,
      '{"error":"error authorizing query: u not authorized to execute statement \'SHOW USERS\', requires admin privilege"}',
    ],
    /^a client without a user name may not run SHOW USERS in InfluxDB at .*: give the login of an administrator/,
  ],
  [[403, html, PAGE], /^a proxy in front of InfluxDB at .* does not let us run SHOW USERS: .*403 text\/html/],
  [[404, html, PAGE], /nothing accepts samples there; correct --influx-url/],
  [[413, html, PAGE], /could not run SHOW USERS: look into its log/],
  [
    [429, json, '{"error":"too many"}'],
    /takes no more requests now and did not run SHOW USERS: run this again/,
  ],
  [
    [500, json, '{"error":"engine is closed"}'],
    /could not run SHOW USERS: look into its log, then run this again \(it answered 500 engine is closed\)/,
  ],
  [
    [502, html, '<title>Bad Gateway'],
    /or a proxy in front of it, could not .*502 text\/html \(<title>Bad Gateway\)/,
  ],
  [[503, '', ''], /could not run SHOW USERS/],
]

t.test('each answer that is no success is a sentence with place and remedy', async t => {
  for (const [said, message] of answers) {
    const url = await listen(t, ({ url }, response) =>
      url === '/ping'
        ? response.writeHead(204, { 'x-influxdb-version': '1.8.10' }).end()
        : say(response, said),
    )
    const error: Error = await setup(url).then(
      () => new Error('it succeeded'),
      error => error,
    )
    t.match(error.message, message, `${said[0]} ${said[2].slice(0, 60)}`)
    t.match(error.message, url, 'the place')
    t.notMatch(error.message, /[\p{Cc}]/u)
    t.ok(error.message.length < 900)
  }
})

t.test('so does the first request, which asks for the version', async t => {
  for (const [said, message] of [
    [[302, '', '', { location: 'https://login.example/' }], /redirects to https:\/\/login\.example/],
    [[502, html, PAGE], /could not tell its version: look into its log/],
    [[404, html, PAGE], /correct --influx-url/],
    [[401, json, '{"error":"no"}'], /refuses the login/],
  ] as [Said, RegExp][]) {
    const url = await listen(t, (_, response) => say(response, said))
    await t.rejects(setup(url), { message })
  }
})

t.test('no connection', async t => {
  const url = await listen(t, ({ socket }) => socket.destroy())
  await t.rejects(setup(url), { message: /closed the connection: it may be restarting, or need https/ })
  await t.rejects(setup('http://127.0.0.1:1'), {
    message: /nothing listens at http:\/\/127\.0\.0\.1:1: start/,
  })
  const silent = await listen(t, () => {})
  await t.rejects(setup(silent, { connection: { timeoutMs: 200 } }), { message: /did not answer in 200 ms/ })
  await t.rejects(setup(url.replace('http:', 'https:')), {
    message: /does not speak TLS|closed the connection/,
  })
})

t.test('times that cannot be right are refused before anything is asked', async t => {
  const nowhere = 'http://127.0.0.1:1'
  const backfill = (from: string, to?: string) => setup(nowhere, { backfill: { from, to } })
  await t.rejects(setup(nowhere, { wanted: { keepRaw: 3600 } }), {
    message: /^--keep-raw: each run computes the last 4h again/,
  })
  await t.rejects(backfill('1h', '2h'), { message: /^--backfill: 1h is not before 2h/ })
  await t.rejects(backfill('2001-01-01', '2001-02-01'), {
    message: /^--backfill: .*no whole hour that is over/,
  })
  await t.rejects(backfill('1m'), { message: /^--backfill: .*no whole hour/ })
  const off = { resolutions: [] }
  await t.rejects(setup(nowhere, { wanted: off, backfill: { from: '3d', to: undefined } }), {
    message: /are off: there is nothing to compute/,
  })
})
