import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Router } from 'zeromq'
import { serve } from '../../../collector/serve/server.ts'
import { collectors, influxdb, query } from '../../../probe/doctor/services.ts'
import { startInflux } from '../../harness/influx.ts'
import { needs } from '../../harness/skip.ts'
import { world } from './world.ts'

async function web(t: Test, headers: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((_, response) => response.writeHead(204, headers).end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a collector is what greets as ZeroMQ does', async t => {
  const env = await world(t)
  const router = new Router({ linger: 0 })
  t.teardown(() => router.close())
  const ipc = `ipc://${join(env.root, 'collector')}`
  await router.bind(ipc)
  await router.bind('tcp://127.0.0.1:*')
  const other = createTcpServer(socket => socket.end('SSH-2.0-x\r\n')).listen(join(env.root, 'other'))
  t.teardown(() => other.close())
  const endpoints = [
    ipc,
    `ipc://${join(env.root, 'other')}`,
    router.lastEndpoint!,
    'tcp://127.0.0.1:9',
    `tcp://${await web(t, {})}`,
  ]
  const remedy = /start the collector there/
  t.match(await collectors({ ...env, collectors: endpoints, timeoutMs: 500 }), [
    { ok: true, found: `${ipc} answers` },
    { ok: 'warn', found: /does not speak ZeroMQ/, remedy },
    { ok: true, found: /^tcp:.* answers$/ },
    { ok: 'warn', found: 'tcp://127.0.0.1:9 cannot be reached (ECONNREFUSED)', remedy },
    { ok: 'warn', found: /cannot be reached \(ETIMEDOUT\)/, remedy },
  ])
})

t.test('all addresses of a name are tried, and a name that nobody knows is the cause', async t => {
  const env = { ...(await world(t)), timeoutMs: 500 }
  const router = new Router({ linger: 0, ipv6: true })
  t.teardown(() => router.close())
  await router.bind('tcp://127.0.0.1:*')
  const port = /\d+$/.exec(router.lastEndpoint!)![0]
  t.match(await collectors({ ...env, collectors: [`tcp://localhost:${port}`] }), [
    { ok: true, found: new RegExp(`^tcp://localhost:${port} answers`) },
  ])
  t.match(await collectors({ ...env, collectors: ['tcp://nobody.invalid:5556'] }), [
    {
      ok: 'warn',
      found: /^tcp:\/\/nobody\.invalid:5556: the host nobody\.invalid is unknown \(E\w+\)$/,
      remedy: /correct --collector/,
    },
  ])
  t.match(await collectors({ ...env, collectors: ['tcp://[::1]:9', 'tcp://localhost:9'] }), [
    { ok: 'warn', found: 'tcp://[::1]:9 cannot be reached (ECONNREFUSED)' },
    { ok: 'warn', found: /^tcp:\/\/localhost:9 cannot be reached \(ECONNREFUSED/ },
  ])
})

t.test("the collector's socket, if there is one", async t => {
  const env = await world(t)
  t.same(await query(env), [], 'hosts with a probe alone have none')
  const path = join(env.root, env.socket)
  await mkdir(dirname(path), { recursive: true })
  const routes = { 'GET /stats': async () => ({}) }
  const server = await serve(path, routes)
  t.match(await query(env), [{ ok: true, found: `${env.socket} answers` }])
  await server.close()
  const other = await serve(path, {})
  t.teardown(() => other.close())
  t.match(await query(env), [{ ok: 'warn', found: /is no collector/ }])
})

t.test('InfluxDB tells its version', { skip: needs('influxd', 'openssl') }, async t => {
  const env = await world(t)
  const influx = await startInflux({ https: true, auth: true })
  t.teardown(() => influx.remove())
  const ask = (insecure: boolean, ca?: string) =>
    influxdb({ ...env, influx: [{ url: influx.url, insecure, ca }] })
  t.match(await ask(false, influx.ca), [{ ok: true, found: /^1\.6\.\S+ at https:/ }])
  t.match(await ask(true), [{ ok: true }])
  t.match(await ask(false), [{ ok: 'warn', found: /SELF_SIGNED_CERT/, remedy: /certificate/ }])
  t.match(await ask(false, '/nonexistent'), [{ ok: 'warn', found: /\/nonexistent: ENOENT/ }])
})

t.test('InfluxDB that is away, or whose clock is another', async t => {
  const env = await world(t)
  t.same(await influxdb(env), [], 'nobody wants it')
  const [away] = await influxdb({
    ...env,
    influx: [{ url: 'http://me:se@cret@127.0.0.1:9', insecure: false }],
  })
  t.match(away, { ok: 'warn', found: 'http://127.0.0.1:9 cannot be asked (ECONNREFUSED)' }, 'and no password')
  const late = await web(t, {
    date: new Date(Date.now() - 3_600_000).toUTCString(),
    'x-influxdb-version': '1.8.10',
  })
  t.match(await influxdb({ ...env, influx: [{ url: `http://${late}`, insecure: false }] }), [
    { ok: 'warn', found: /^1\.8\.10 at .*, whose clock is -36\d\d s from this one$/, remedy: /NTP/ },
  ])
})
