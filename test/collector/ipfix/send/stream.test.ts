import { copyFileSync, readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { OPENERS } from '../../../../collector/ipfix/send/openers.ts'
import { Authority } from '../../../harness/certificates.ts'
import { Cleanup } from '../../../harness/cleanup.ts'
import { listenTcp, messagesOf } from '../../../harness/ipfix/collectors.ts'
import { readByPython } from '../../../harness/ipfix/readers.ts'
import { scratch } from '../../../harness/scratch.ts'
import { needs } from '../../../harness/skip.ts'
import { until } from '../../../harness/until.ts'
import { CLIENT, carrying } from '../given.ts'
import { sending } from '../sending.ts'
import { senderTo } from './given.ts'

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const RECORDS = 2000

/** @returns its port */
async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await until('a port', () => server.listening)
  t.teardown(() => void server.close())
  return (server.address() as { port: number }).port
}
/** Between us and a port: what comes back is late, as it is over some distance. @returns its own port */
async function far(t: Test, port: number): Promise<number> {
  const relay = createServer(socket => {
    const server = connect(port, '127.0.0.1')
    socket.pipe(server)
    server.on('data', data => void setTimeout(() => socket.write(data), 30))
    server.on('end', () => void setTimeout(() => socket.end(), 30))
    for (const one of [socket, server]) one.on('error', () => {}).on('close', () => server.destroy())
  })
  return await listen(t, relay)
}
const tcpTo = (port: number) => (signal: AbortSignal) =>
  OPENERS.tcp({ host: '127.0.0.1', port, transport: 'tcp' }, {}, signal)

t.test('who takes connections and closes them gets no record, and none is lost', async t => {
  const server = createServer(
    socket =>
      void socket
        .on('error', () => {})
        .end()
        .resume(),
  )
  const port = await listen(t, server)
  const { sender, emit, warnings } = senderTo(t, tcpTo(port))
  emit(RECORDS)
  await until('three connections', () => sender.counters.connections >= 3)
  t.same([sender.waiting.size, sender.counters.records, sender.waiting.dropped], [RECORDS, 0, 0])
  t.match(warnings[0], /the collector closed the connection; trying again, 2000 records wait$/)
  server.close()
  const collector = await listenTcp(port)
  t.teardown(() => collector.close())
  const found = await until('all of them', async () => {
    const stream = collector.streams.at(-1)
    if (!stream || sender.waiting.size > 0) return false
    const records = readByPython(stream, await scratch(cleanup, 'ipfix'))
    return records.length === RECORDS && records
  })
  t.equal(found[0]?.sourceTransportPort, 0, 'the oldest first')
})

t.test('who refuses our certificate gets no record', { skip: needs('openssl') }, async t => {
  const directory = await scratch(cleanup, 'ipfix')
  const authority = new Authority(directory)
  const files = authority.sign('aggregator')
  const [cert, key] = [readFileSync(files.certificate), readFileSync(files.key)]
  const ca = readFileSync(authority.certificate)
  // TLS 1.3: it says so after our side takes the handshake for done
  const server = createTlsServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true })
  const port = await far(t, await listen(t, server))
  const { sender, emit, warnings } = senderTo(t, signal =>
    OPENERS.tls({ host: '127.0.0.1', port, transport: 'tls' }, { ca, name: 'aggregator' }, signal),
  )
  emit(RECORDS)
  await until('three connections', () => sender.counters.connections >= 3)
  t.same([sender.waiting.size, sender.counters.records], [RECORDS, 0])
  t.equal(warnings[0], 'to: TLS: tlsv13 alert certificate required; trying again, 2000 records wait')
})

t.test('a collector that does not read does not keep us from stopping', async t => {
  const sockets: Socket[] = []
  const port = await listen(
    t,
    createServer({ pauseOnConnect: true }, socket => void sockets.push(socket.on('error', () => {}))),
  )
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const { sender, emit, warnings } = senderTo(t, tcpTo(port))
  emit(100_000)
  await until('it has taken some', () => sender.counters.records > 0)
  for (let before = -1; before !== sender.counters.records; await wait(300)) before = sender.counters.records
  await sender.close(100)
  t.ok(sender.waiting.size > 0)
  t.equal(sender.waiting.size + sender.counters.records, 100_000, 'what it was about to send is counted')
  t.match(warnings, [`to: ${sender.waiting.size} records were not sent`])
})

t.test('certificates are read for each connection: they are renewed', { skip: needs('openssl') }, async t => {
  const directory = await scratch(cleanup, 'ipfix')
  const [authority, other] = [new Authority(directory), new Authority(await scratch(cleanup, 'ipfix'))]
  const [server, ours, theirs] = [authority.sign('aggregator'), authority.sign('us'), other.sign('us')]
  const collector = await listenTcp(0, {
    cert: readFileSync(server.certificate),
    key: readFileSync(server.key),
    ca: readFileSync(authority.certificate),
    ...{ requestCert: true, rejectUnauthorized: true },
  })
  t.teardown(() => collector.close())
  const [certificate, key] = [`${directory}/now.crt`, `${directory}/now.key`]
  const renew = (by: typeof ours) => {
    copyFileSync(by.certificate, certificate)
    copyFileSync(by.key, key)
  }
  renew(theirs)
  const { told, warnings } = sending(t, {
    flowCollectorAddr: `127.0.0.1:${collector.port}`,
    ...{ flowAggregatorAddress: 'aggregator', ipfixCa: authority.certificate },
    ...{ ipfixCertificate: certificate, ipfixKey: key },
  })
  told.rows('node-a', 0, 'tcp_flow', { ...CLIENT, remote: '192.0.2.9', ...carrying(1, 1), closed_ns: 5e9 })
  told.silence(0, 2, 'node-a')
  await until('a warning', () => warnings.length > 0)
  renew(ours)
  const messages = () => messagesOf(collector.streams.at(-1) ?? Buffer.alloc(0))
  await until('a record', () => messages().some(({ setId }) => setId === 256))
})
