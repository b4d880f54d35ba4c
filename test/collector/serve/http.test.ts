import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { Address, Pages } from '../../../collector/routes.ts'
import { serveHttp } from '../../../collector/serve/server.ts'

async function* pieces() {
  for (let piece = 0; piece < 100; piece++) yield `${piece} `.repeat(1000)
}
const LONG = await textOf(pieces())
const pages: Pages = {
  '/short': () => ({ body: 'short\n' }),
  '/busy': () => ({ status: 503, body: 'busy\n' }),
  '/long': () => ({ type: 'text/x', body: pieces() }),
  '/broken': () => ({
    body: (async function* () {
      yield 'some'
      throw new Error('no more')
    })(),
  }),
}

async function start(t: Test, address: Address = { host: '127.0.0.1', port: 0 }): Promise<string> {
  const server = await serveHttp(address, pages)
  t.teardown(() => server.close())
  return server.url
}

t.test('pages, by their path alone', async t => {
  const url = await start(t)
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`)
    return [answer.status, answer.headers.get('content-type'), await answer.text()]
  }
  t.same(await get('/short?x=1'), [200, 'text/plain; charset=utf-8', 'short\n'])
  t.same(await get('/busy'), [503, 'text/plain; charset=utf-8', 'busy\n'])
  t.same(await get('/long'), [200, 'text/x', LONG])
  t.match(await get('/'), [404, String, 'there is /short, /busy, /long, /broken\n'])
  t.match(await get('/constructor'), [404])
})

t.test('GET and HEAD, and nothing else', async t => {
  const url = await start(t)
  const head = await fetch(`${url}/long`, { method: 'HEAD' })
  t.same([head.status, head.headers.get('content-type'), await head.text()], [200, 'text/x', ''])
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await fetch(`${url}/long`, { method })
    t.same([status, headers.get('allow')], [405, 'GET, HEAD'], method)
  }
})

t.test('a long page is compressed for a client that accepts gzip', async t => {
  const url = await start(t)
  const zipped = await fetch(`${url}/long`, { headers: { 'accept-encoding': 'gzip' } })
  t.same([zipped.headers.get('content-encoding'), await zipped.text()], ['gzip', LONG])
  const plain = await fetch(`${url}/long`, { headers: { 'accept-encoding': 'identity' } })
  t.same([plain.headers.get('content-encoding'), await plain.text()], [null, LONG])
})

t.test('a page is compressed only for a client that accepts gzip', async t => {
  const url = await start(t)
  const encodingFor = async (accepted: string) => {
    const answer = await fetch(`${url}/long`, { headers: { 'accept-encoding': accepted } })
    t.equal(await answer.text(), LONG)
    return answer.headers.get('content-encoding')
  }
  const plain = [
    ...['gzip;q=0, identity', 'gzip;q=0', 'gzip;q=0.000', 'x-gzip-not', 'gzip ; q=0', 'GZIP;Q=0'],
    ...['*;q=0', '*, gzip;q=0', 'identity, gzip;q=0.5', 'gzip;q=2', 'gzip;q=', 'deflate, br', ''],
  ]
  for (const accepted of plain) t.equal(await encodingFor(accepted), null, accepted)
  const zipped = [
    ...['gzip', 'deflate, gzip', 'gzip;q=0.5', 'gzip; q=0.001', 'GZIP', 'x-gzip', '*', 'br, *;q=0.1'],
    ...['gzip, identity', 'identity;q=0.5, gzip;q=1.000', 'identity;q=0, *'],
  ]
  for (const accepted of zipped) t.equal(await encodingFor(accepted), 'gzip', accepted)
})

t.test('a page that fails closes its connection, and the server continues', async t => {
  const url = await start(t)
  await t.rejects(fetch(`${url}/broken`).then(answer => answer.text()))
  t.equal(await (await fetch(`${url}/short`)).text(), 'short\n')
})

t.test('a request head that is too long or malformed is refused', async t => {
  const url = new URL(await start(t))
  const say = (text: string) => textOf(connect(Number(url.port), url.hostname).setEncoding('utf8').end(text))
  t.match(await say(`GET /short HTTP/1.1\r\nhost: h\r\nx: ${'y'.repeat(9000)}\r\n\r\n`), /^HTTP\/1.1 431 /)
  t.match(await say('hello\r\n\r\n'), /^HTTP\/1.1 400 /)
})

t.test('an address that is taken is named; IPv6 has brackets', async t => {
  const { port } = new URL(await start(t))
  const taken = serveHttp({ host: '127.0.0.1', port: Number(port) }, pages)
  await t.rejects(taken, new RegExp(`^cannot listen on 127.0.0.1:${port} `))
  t.match(await start(t, { host: '::1', port: 0 }), /^http:\/\/\[::1\]:\d+$/)
})
