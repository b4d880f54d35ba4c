import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { proxyEnvOf } from '../../../../collector/sinks/influxdb/proxy.ts'
import { listen } from '../../../harness/http_server.ts'
import { connect } from '../../../harness/influx_sink.ts'
import { batch, sample } from '../../../harness/samples.ts'

const through = (t: Test, url: string, env: Record<string, string>) =>
  connect(t, { url, env, version: 1, createDatabase: false })

const one = batch(0, [sample([1, 2])])

/** Asked for other hosts by their whole address, and to open tunnels. */
async function proxy(t: Test, answer: RequestListener) {
  const asked: string[] = []
  const url = await listen(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume()
    answer(request, response)
  })
  return { url, asked }
}

t.test('HTTP_PROXY is asked for another host, in either case', async t => {
  const { url, asked } = await proxy(t, (_, response) => response.writeHead(204).end())
  for (const name of ['HTTP_PROXY', 'http_proxy']) {
    await through(t, 'http://influx.invalid:8086', { [name]: url }).write(one)
    t.equal(asked.pop(), 'POST http://influx.invalid:8086/write?db=flows&precision=s')
  }
})

t.test('HTTPS_PROXY opens a tunnel', async t => {
  const server = createServer()
  const opened: (string | undefined)[] = []
  server.on('connect', (request, socket) => {
    opened.push(request.url)
    socket.on('error', () => {})
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  await t.rejects(through(t, 'https://influx.invalid:8086', { HTTPS_PROXY: url }).write(one), {
    message: /; HTTPS_PROXY sets a proxy for this address$/,
  })
  t.same(opened, ['influx.invalid:8086'])
})

t.test('a proxy that does not listen is in the sentence', async t => {
  await t.rejects(through(t, 'http://influx.invalid', { http_proxy: 'http://127.0.0.1:1' }).write(one), {
    message: /; http_proxy sets a proxy for this address$/,
  })
})

t.test('this machine and the hosts of NO_PROXY are asked directly', async t => {
  const { url, asked } = await proxy(t, (_, response) => response.writeHead(502).end())
  const influx = await listen(t, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await through(t, influx, { HTTP_PROXY: url }).write(one)
  await through(t, influx.replace('127.0.0.1', 'localhost'), { HTTP_PROXY: url }).write(one)
  for (const none of ['influx.invalid', '*', '.invalid'])
    await t.rejects(through(t, 'http://influx.invalid', { HTTP_PROXY: url, NO_PROXY: none }).write(one), {
      message: /^the (host of|name server)/,
    })
  t.same(asked, [])
})

t.test('a proxy of another kind is refused at the start', async t => {
  for (const given of ['socks5://p:1080', 'proxy:3128'])
    t.throws(() => proxyEnvOf('http://influx', { http_proxy: given }), {
      message: /^http_proxy: needs an address/,
    })
  t.equal(proxyEnvOf('http://influx', { https_proxy: 'http://p:1' }), undefined)
})
