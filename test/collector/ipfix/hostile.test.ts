/** Collectors that do what they should not: nothing of it holds up the one that sends, or its end. */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Opened } from '../../../collector/ipfix/send/connection.ts'
import { OPENERS } from '../../../collector/ipfix/send/openers.ts'
import { Sender } from '../../../collector/ipfix/send/sender.ts'
import { JsonSpeaker } from '../../../collector/ipfix/send/speaker.ts'
import { until } from '../../harness/until.ts'

async function listen(t: Test, take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    take(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as { port: number }).port
}

function send(port: number, firstDelayMs = 10) {
  const warned: string[] = []
  const sender = new Sender(
    { name: 'ipfix', maxBytes: 2 ** 26, burst: undefined, firstDelayMs },
    signal => OPENERS.tcp({ host: '127.0.0.1', port, transport: 'tcp' }, {}, signal),
    new JsonSpeaker(2 ** 16),
    { warn: (_, text) => void warned.push(text) },
  )
  sender.start()
  return { sender, warned }
}
const ENTRY = { bytes: Buffer.alloc(50_000), domain: 1, template: undefined as never }
const fill = (sender: Sender) => {
  for (let at = 0; at < 600; at++) sender.add(ENTRY)
}

t.test('one that never reads does not hold up the end, and what is left is said', async t => {
  const port = await listen(t, socket => socket.pause())
  const { sender, warned } = send(port)
  fill(sender)
  await until('a full window', async () => {
    const { records } = sender.counters
    await new Promise(done => setTimeout(done, 100))
    return records > 0 && records === sender.counters.records
  })
  const late = new Promise(done => setTimeout(done, 15_000, 'late').unref())
  t.equal(await Promise.race([sender.close(50), late]), undefined, 'it waits for nobody')
  t.match(warned.at(-1), /^ipfix: \d+ records were not sent$/)
  t.equal(sender.counters.records + sender.waiting.size, 600, 'each is sent or counted')
})

t.test('one that never reads is left after a while, and the message waits', async t => {
  const opened = new Opened(
    () => {},
    async () => {},
    20,
  )
  await t.rejects(opened.send(Buffer.alloc(1)), { message: 'the collector has read nothing for 0.02 s' })
  t.match(opened.failure, { message: /has read nothing/ })
  await t.rejects(opened.send(Buffer.alloc(1)), { message: /has read nothing/ })
})

for (const [what, take] of [
  ['closes at once', (socket: Socket) => socket.resume().end()],
  ['resets at once', (socket: Socket) => socket.resetAndDestroy()],
  ['answers, and closes', (socket: Socket) => socket.resume().end(Buffer.alloc(1000))],
  ['reads a record, and closes', (socket: Socket) => socket.once('data', () => socket.destroy())],
] as const)
  t.test(`one that ${what} is asked less and less often`, async t => {
    let connections = 0
    const port = await listen(t, socket => {
      connections++
      take(socket)
    })
    const { sender } = send(port, 20)
    const adding = setInterval(() => sender.add({ ...ENTRY, bytes: Buffer.alloc(10) }), 1)
    t.teardown(() => clearInterval(adding))
    await until('some', () => connections > 2)
    await new Promise(done => setTimeout(done, 600))
    await sender.close(0)
    // with a pause of 10 to 20 ms each time there were at least 30
    t.ok(connections < 12, `${connections} connections`)
  })

t.test('one that talks is not listened to, and gets its records', async t => {
  let got = 0
  const port = await listen(t, socket => {
    socket.on('data', data => {
      got += data.length
      socket.write(Buffer.alloc(1000))
    })
  })
  const { sender } = send(port)
  fill(sender)
  await until('all', () => got === 600 * 50_000)
  await sender.close(0)
  t.equal(sender.waiting.size, 0)
})

t.test('a resolver that does not answer does not hold up the end', async t => {
  const end = new AbortController()
  const opening = OPENERS.udp({ host: 'collector.invalid', port: 1, transport: 'udp' }, {}, end.signal)
  end.abort()
  await t.rejects(opening)
})
