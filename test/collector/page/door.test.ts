import { request } from 'node:http'
import t from 'tap'
import { Links } from '../../../collector/page/links.ts'
import { isOurs } from '../../../collector/page/names.ts'
import { Sessions } from '../../../collector/page/sessions.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'
import { freePort, openSite } from '../../harness/sockflux.ts'

interface Got {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

/** With headers that fetch() does not send. */
function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>()
  const sent = request(url, { method, headers, agent: false }, async response => {
    const body = Buffer.concat(await response.toArray()).toString()
    resolve({ status: response.statusCode!, headers: response.headers, body })
  })
  sent.on('error', reject).end()
  return promise
}

t.test('who gets in', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  const address = `127.0.0.1:${await freePort()}`
  const flags = ['--http', address, '--prometheus', address]
  const collector = await site.collector(flags)
  const url = `http://${address}`
  const link = async () => (await site.run('page')).stdout.trim()

  t.match(
    await get(url),
    { status: 401, body: /open the one that sockflux run shows/ },
    'nobody without a link',
  )
  for (const path of ['/main.js', '/uplot.js', '/api/live', '/api/health', '/nothing'])
    t.equal((await get(url + path)).status, 401, path)
  t.equal((await get(`${url}/metrics`)).status, 200, '/metrics keeps its rules')
  t.equal((await get(`${url}/metrics`, { host: 'elsewhere.example' })).status, 200)

  const first = await link()
  t.match(first, new RegExp(`^http://${address}/\\?token=[\\w-]{32}$`))
  t.equal(await link(), first, 'one link is open at a time')
  t.match(await get(first, { host: 'evil.example' }), { status: 421, body: /--http-name/ }, 'a foreign name')
  t.equal(
    (await get(first, { 'sec-purpose': 'prefetch;prerender' })).status,
    503,
    'a browser that looks ahead',
  )
  t.equal((await get(first, {}, 'HEAD')).status, 503)
  t.equal((await get(`${url}/?token=x`)).status, 403, 'a guess')
  const entered = await get(first)
  const cookie = String(entered.headers['set-cookie'])
  const [, place = ''] =
    /^sockflux_\d+=[\w-]{32}; Path=(\/~[\w-]{32}\/); HttpOnly; SameSite=Strict$/.exec(cookie) ?? []
  t.match(entered, { status: 200, body: `url=${place}"` })
  t.match(await get(first), { status: 403, body: /was used or is too old/ }, 'the link after its first use')
  t.not(await link(), first)

  const session = { cookie: cookie.split(';')[0]! }
  t.equal((await get(url + place)).status, 401, 'the path alone')
  t.equal((await get(`${url}${place}api/health`, session)).status, 200)
  t.equal((await get(`${url}${place}api/health`, { ...session, 'sec-fetch-site': 'same-site' })).status, 403)
  const page = await get(url + place, session)
  t.match(page, { status: 200, body: /<title>Sockflux/ })
  t.match(
    page.headers['content-security-policy'],
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  )
  t.match(page.headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  t.equal(
    (await get(url, { ...session, host: 'evil.example' })).status,
    421,
    'a session under a foreign name',
  )
  t.equal((await get(url, { cookie: `${session.cookie}x` })).status, 401)
  t.equal((await get(`${url}/api/health`, { ...session, 'sec-fetch-site': 'cross-site' })).status, 403)
  for (const method of ['POST', 'PUT', 'DELETE'])
    t.equal((await get(url, session, method)).status, 405, method)
  const { etag } = (await get(`${url}/main.js`, session)).headers
  t.equal((await get(`${url}/main.js`, { ...session, 'if-none-match': String(etag) })).status, 304)
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/site/main.js'])
    t.equal((await get(url + path, session)).status, 404, path)
  for (const [path, error] of [
    ['/api/history?level=x&from=1&to=2', /level must be/],
    ['/api/history?level=pod&from=2&to=1', /from must be before to/],
    ['/api/history?level=pod&to=1', /from must be whole seconds/],
    ['/api/map?by=constructor', /by must be one of/],
  ] as const)
    t.match(await get(url + path, session), { status: 400, body: error }, path)

  await collector.kill('SIGTERM')
  await site.collector(flags)
  t.equal((await get(url, session)).status, 200, 'a session outlives a restart')
})

t.test('a collector without a page says how to have one', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  t.match(await site.run('page'), { code: 1, stderr: /serves no page: start it with --http 127.0.0.1:9470/ })
})

t.test('a link is good for a quarter of an hour, and once', async t => {
  let now = 0
  const links = new Links(() => now)
  const first = links.token()
  now = 15 * 60_000 - 1
  t.equal(links.token(), first)
  now++
  t.notOk(links.use(first), 'too late')
  const second = links.token()
  t.not(second, first)
  t.notOk(links.use(''))
  t.ok(links.use(second))
  t.notOk(links.use(second))
})

t.test('sessions are bounded, expire, and are kept as digests', async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const path = `${await scratch(cleanup, 'page')}/sessions.json`
  let now = 1e12
  const sessions = new Sessions(path, () => now)
  const secrets = Array.from({ length: 33 }, () => sessions.begin())
  t.equal(sessions.size, 32)
  t.notOk(sessions.find(secrets[0]!), 'the one that was used longest ago is over')
  t.ok(sessions.find(secrets[1]!))
  await sessions.close()
  const again = new Sessions(path, () => now)
  t.ok(again.find(secrets[32]!), 'after a restart')
  const { readFileSync, statSync, writeFileSync } = await import('node:fs')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notOk(secrets.some(secret => readFileSync(path, 'utf8').includes(secret)))
  now += 12 * 3_600_000 + 1
  t.notOk(again.find(secrets[32]!), 'twelve hours without use')
  await again.close()
  for (const text of [
    '',
    'x',
    '{}',
    '{"version":1,"sessions":[{"digest":"x"}]}',
    '{"version":1,"sessions":{}}',
  ]) {
    writeFileSync(path, text)
    t.equal(new Sessions(path, () => now).size, 0, `a file with ${text}`)
  }
})

t.test('names that the page is called by', async t => {
  const loopback = { host: '127.0.0.1', port: 9470 }
  const open = { host: '0.0.0.0', port: 9470 }
  for (const name of ['localhost', 'localhost:9470', '127.0.0.1:8080', '[::1]:9470', 'LOCALHOST.'])
    t.ok(isOurs(name, loopback, [], false), name)
  for (const name of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'a b',
    'localhost:x',
    'localhost@evil.example',
  ])
    t.notOk(isOurs(name, loopback, [], false), String(name))
  t.ok(isOurs('10.0.0.1:9470', open, [], false), 'an address cannot be made to point here')
  t.notOk(isOurs('evil.example:9470', open, [], false))
  t.ok(isOurs('flows.example', loopback, ['flows.example'], true), 'the name of a proxy')
  for (const name of ['10.0.0.1:9470', '[2001:db8::1]', '0.0.0.0:9470', 'other.example'])
    t.notOk(isOurs(name, open, ['flows.example'], true), `${name}: past the proxy, in plain text`)
  t.ok(isOurs('Flows.example', open, ['flows.example'], true))
  t.ok(isOurs('10.0.0.1', open, ['flows.example'], false), 'with TLS of ours')
})
