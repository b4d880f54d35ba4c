import { request } from 'node:http'
import t, { type Test } from 'tap'
import { type Door, guarded } from '../../../collector/page/guard.ts'
import { Links } from '../../../collector/page/links.ts'
import { Sessions } from '../../../collector/page/sessions.ts'
import { serveHttp } from '../../../collector/serve/server.ts'

/** The guard at a port of its own; what has passed is answered with its path. */
async function guard(t: Test, more: Partial<Door> = {}) {
  const address = { host: '127.0.0.1', port: 0 }
  const [links, sessions] = [new Links(), new Sessions(undefined)]
  const refused = { method: 0, address: 0, host: 0, link: 0, session: 0, site: 0 }
  const door: Door = { address, names: [], tls: 'none', links, sessions, ...more }
  const others = guarded(door, refused, async ({ url }) => ({ body: url.pathname }))
  const serving = await serveHttp(address, {}, { others })
  t.teardown(() => serving.close())
  const { port } = new URL(serving.url)
  const cookie = `sockflux_${port}=${sessions.begin()}`
  /** With a path as it is, which fetch() would tidy. */
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
    const sent = request({ port, path, method, headers: { cookie, ...headers }, agent: false }, async got =>
      resolve({ status: got.statusCode!, body: Buffer.concat(await got.toArray()).toString() }),
    )
    sent.on('error', reject).end()
    return promise
  }
  return { links, sessions, refused, get }
}

t.test('a link is used up by a browser that has a session', async t => {
  const { links, get } = await guard(t)
  const token = links.token()
  t.match(await get(`/?token=${token}`, { 'sec-purpose': 'prefetch' }), { status: 200, body: /url=\.\// })
  await get(`/?token=${token}`, {}, 'HEAD')
  t.equal(links.token(), token, 'not by one that looks ahead')
  t.match(await get(`/?token=${token}`), { status: 200, body: /url=\.\// })
  t.match(await get(`/?token=${token}`, { cookie: '' }), { status: 403, body: /was used/ })
  t.not(links.token(), token, 'the next one is another')
  const next = links.token()
  t.equal((await get('/?token=x')).status, 200, 'who is in stays so with an old link')
  t.equal(links.token(), next, 'a guess uses nothing up')
})

t.test('an address means the same to the guard and behind it', async t => {
  const { refused, get } = await guard(t)
  const place = `/~${'a'.repeat(32)}`
  t.match(await get(`${place}/api/health`), { status: 200, body: /^\/api\/health$/ })
  t.match(await get(`${place}x/api/health`), { status: 200, body: `${place}x/api/health` }, 'no place')
  t.match(await get(`${place}//x/api/health`), { status: 200, body: '//x/api/health' })
  const elsewhere = { 'sec-fetch-site': 'same-site' }
  t.match(await get('/api/health'), { status: 200, body: '/api/health' })
  for (const path of [
    '/api/health',
    '/./api/health',
    '/x/../api/health?a',
    '/%2e/api/health',
    '\\api/health',
  ])
    t.match(await get(path, elsewhere), { status: /^40[03]$/ }, path)
  for (const path of ['//x/api/health', '//', '///', '/\\x/api/health', '//[', '/api:80'])
    t.match(
      await get(path),
      { status: 200, body: new URL(`http://x${path}`).pathname },
      `${path} has no host`,
    )
  const before = refused.address
  for (const path of ['*', 'http://evil.example/api/health', 'http://[/'])
    t.match(await get(path), { status: 400, body: /cannot be read/ }, path)
  t.equal(refused.address - before, 3)
})
