import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Pull, Router } from 'zeromq'
import { Connection, type Feed } from '../../../../probe/publish/link/connection.ts'
import { Trust } from '../../../../probe/publish/link/trust.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { start } from '../../../harness/process.ts'
import { scratch } from '../../../harness/scratch.ts'
import { needs } from '../../../harness/skip.ts'
import { freePort } from '../../../harness/sockflux.ts'
import { until } from '../../../harness/until.ts'

t.jobs = 8

const trust = new Trust({ keys: '/nowhere', collectorKey: [], linkUsers: [] })
const identity = { host: 'h', boot: 'b', probe: 'p' }
interface Line {
  msg: string
  level: number
}

function connectionTo(t: Test, endpoint: string, feed: Partial<Feed> = {}) {
  const said: Line[] = []
  const log = pino({}, { write: line => said.push(JSON.parse(line)) })
  const states: boolean[] = []
  const whole = {
    begin() {},
    reached: (isUp: boolean) => states.push(isUp),
    next: () => undefined,
    acknowledged() {},
    ...feed,
  }
  const connection = new Connection(`${endpoint},plain`, whole, identity, trust, log)
  t.teardown(() => connection.close())
  return { connection, said, states, lines: (pattern: RegExp) => said.filter(({ msg }) => pattern.test(msg)) }
}

/** A TCP server that is no collector. */
async function stranger(t: Test, meet: (socket: Socket) => void) {
  let met = 0
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    met++
    sockets.add(socket)
    socket.on('error', () => {})
    meet(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { endpoint: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`, met: () => met }
}

const AWAY = /^no collector answers: start it, or correct --collector/
const AWAY_WAIT_MS = 15_000

/** It is said once, and little else; the pauses grow. */
async function checkAway(t: Test, endpoint: string, met: () => number, cause: RegExp) {
  const { lines, said, states } = connectionTo(t, endpoint)
  await until('the line', () => lines(AWAY).length > 0, AWAY_WAIT_MS)
  await new Promise(resolve => setTimeout(resolve, 1000))
  t.equal(said.length, 1, JSON.stringify(said))
  t.match(said[0]!.msg, cause)
  t.same(states, [], 'nothing is reached')
  t.ok(met() < 15, `${met()} connections`)
}

t.test('a peer that accepts and closes', async t => {
  const { endpoint, met } = await stranger(t, socket => socket.end())
  await checkAway(t, endpoint, met, /it closes the connection/)
})

t.test('a proxy whose backend is not there', async t => {
  const { endpoint, met } = await stranger(t, socket => socket.resetAndDestroy())
  await checkAway(t, endpoint, met, /it (closes|refuses) the connection/)
})

t.test('a web server', async t => {
  const { endpoint, met } = await stranger(t, socket =>
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')),
  )
  await checkAway(t, endpoint, met, /\(it /)
})

t.test('a server that says nothing', async t => {
  const { endpoint, met } = await stranger(t, () => {})
  await checkAway(t, endpoint, met, AWAY)
})

t.test('the wrong kind of ZeroMQ socket', async t => {
  const pull = new Pull({ linger: 0 })
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  await pull.bind(endpoint)
  t.teardown(() => pull.close())
  let met = 0
  pull.events.on('accept', () => met++)
  await checkAway(t, endpoint, () => met, /another kind of ZeroMQ socket/)
})

t.test('nobody', async t => {
  await checkAway(t, `tcp://127.0.0.1:${await freePort()}`, () => 0, /it refuses the connection/)
})

t.test('a name that nobody knows', async t => {
  await checkAway(t, 'tcp://nobody.invalid:5556', () => 0, /nobody\.invalid/)
})

for (const endpoint of [`tcp://\${HOST}:5556`, 'tcp://[12345::1]:5556', `ipc:///${'x'.repeat(200)}`])
  t.test(`${endpoint.slice(0, 30)} gives a sentence`, async t => {
    const { said, lines } = connectionTo(t, endpoint)
    await until('the line', () => lines(AWAY).length > 0, AWAY_WAIT_MS)
    t.ok(said.length <= 2, JSON.stringify(said))
    for (const { msg } of said) t.notMatch(msg, /\n/)
  })

t.test('a rogue that sends something else than acknowledgements is left', async t => {
  const router = new Router({ linger: 0, sendHighWaterMark: 0 })
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  await router.bind(endpoint)
  let handshakes = 0
  router.events.on('handshake', () => handshakes++)
  t.teardown(() => router.close())
  let pending = true
  let told = 0
  const { said, states } = connectionTo(t, endpoint, {
    begin() {
      pending = true
    },
    next() {
      if (!pending) return undefined
      pending = false
      return [Buffer.from('hello')]
    },
  })
  void (async () => {
    for await (const [route] of router) {
      for (let index = 0; index < 2000; index++) await router.send([route!, 'no', 'ack']).catch(() => {})
      told++
    }
  })().catch(() => {})
  await until('several floods', () => told >= 4 && states.length >= 6, AWAY_WAIT_MS)
  t.ok(said.length <= 3, JSON.stringify(said))
  t.match(said.map(({ msg }) => msg).join(), /the collector sent no acknowledgement/)
  t.ok(handshakes < 15)
})

t.test('a message that is no acknowledgement by its size is not taken in', async t => {
  const router = new Router({ linger: 0 })
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  await router.bind(endpoint)
  t.teardown(() => router.close())
  let pending = true
  const { states } = connectionTo(t, endpoint, {
    next() {
      if (!pending) return undefined
      pending = false
      return [Buffer.from('hello')]
    },
  })
  const [route] = await router.receive()
  await router.send([route!, Buffer.alloc(64 * 2 ** 20)])
  await until('the connection is cut', () => states.includes(false))
  t.ok(states[0])
})

t.test('a collector that comes back is connected to again', async t => {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  const first = new Router({ linger: 0 })
  await first.bind(endpoint)
  const { states } = connectionTo(t, endpoint)
  await until('up', () => states.length === 1)
  first.close()
  await until('down', () => states.length === 2)
  const second = new Router({ linger: 0 })
  t.teardown(() => second.close())
  await until('the port', () =>
    second.bind(endpoint).then(
      () => true,
      () => false,
    ),
  )
  await until('up again', () => states.length === 3)
  t.same(states, [true, false, true])
})

/** Connects with these names in /etc/hosts. */
async function dials(t: Test, endpoint: string, hosts: string) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const file = join(await scratch(cleanup, 'hosts'), 'hosts')
  await writeFile(file, hosts)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  const dialler = [process.execPath, join(import.meta.dirname, '../../../harness/dialler.ts'), endpoint]
  const child = start(['unshare', '--mount', 'sh', '-c', script, file, ...dialler])
  cleanup.defer(() => child.kill('SIGKILL'))
  await child.line(/^up/)
}

const ipv6 = Object.values(networkInterfaces())
  .flat()
  .some(found => found?.address === '::1')
const own = needs('root') || (!ipv6 && 'no IPv6 here')
const BOTH = '::1 there.test\n127.0.0.1 there.test\n'

for (const [name, listens, hosts] of [
  ['a name that has IPv6 only', '[::1]', '::1 there.test\n'],
  ['a name that has both, and the collector IPv4', '127.0.0.1', BOTH],
  ['a name that has both, and the collector IPv6', '[::1]', BOTH],
  [
    'a name that has three, and the last one is right',
    '127.0.0.3',
    '127.0.0.1 there.test\n127.0.0.2 there.test\n127.0.0.3 there.test\n',
  ],
] as const)
  t.test(name, { skip: own }, async t => {
    const router = new Router({ linger: 0, ipv6: true })
    t.teardown(() => router.close())
    const port = await freePort()
    await router.bind(`tcp://${listens}:${port}`)
    await dials(t, `tcp://there.test:${port}`, hosts)
  })

const local = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
  (addresses ?? [])
    .filter(({ address }) => address.startsWith('fe80:'))
    .map(({ address }) => `${address}%${name}`),
)[0]

t.test('an address with a zone', { skip: !local && 'no link-local address here' }, async t => {
  const router = new Router({ linger: 0, ipv6: true })
  t.teardown(() => router.close())
  const port = await freePort()
  await router.bind(`tcp://[::]:${port}`)
  const { states } = connectionTo(t, `tcp://[${local}]:${port}`)
  await until('up', () => states[0])
})

t.test('it is closed at any time', async t => {
  for (const endpoint of ['tcp://127.0.0.1:1', 'tcp://nobody.invalid:1', 'tcp://192.0.2.1:1']) {
    const { connection } = connectionTo(t, endpoint)
    await new Promise(resolve => setTimeout(resolve, 50))
    await connection.close()
  }
})
