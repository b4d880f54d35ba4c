import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import t from 'tap'
import { Authority } from '../../harness/certificates.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { listenTcp, listenUdp, messagesOf } from '../../harness/ipfix/collectors.ts'
import { readByPython } from '../../harness/ipfix/readers.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { freePort } from '../../harness/sockflux.ts'
import { until } from '../../harness/until.ts'
import { CLIENT, carrying, NAMES, SERVER, type Told } from './given.ts'
import { sending } from './sending.ts'

/** Conversations of one node with elsewhere that end in this window. */
function ended(told: Told, window: number, count: number): void {
  const rows = Array.from({ length: count }, (_, at) => ({
    ...{ ...CLIENT, remote: '192.0.2.9', socket: 1000 * (window + 1) + at, isn_local: 0, isn_remote: 0 },
    ...{ local_port: 1000 + at, ...carrying(at, 1), state: 7, closed_ns: 5e9 },
  }))
  told.rows('node-a', window, 'tcp_flow', ...rows)
  told.end(window, 'node-a')
}

t.test('over TCP templates come first, on each connection, and sequences begin again', async t => {
  const collector = await listenTcp()
  t.teardown(() => collector.close())
  const { told, ipfix } = sending(t, {
    externalFlowCollectorAddr: `127.0.0.1:${collector.port}`,
    ipfixDomain: 7,
  })
  const kinds = (at: number) => messagesOf(collector.streams[at] ?? Buffer.alloc(0)).map(({ setId }) => setId)
  await until('templates, without a record', () => kinds(0).length === 2)
  t.same(kinds(0), [2, 2])
  ended(told, 0, 3)
  await until('three records', () => kinds(0).length === 3)
  ended(told, 1, 2)
  await until('two more', () => kinds(0).length === 4)
  const messages = messagesOf(collector.streams[0]!)
  t.same(
    messages.map(({ setId, sequence, domain }) => [setId, sequence, domain]),
    [
      [2, 0, 7],
      [2, 0, 7],
      [256, 0, 7],
      [256, 3, 7],
    ],
    'records count, templates do not',
  )
  collector.cut()
  await until('a new connection', () => kinds(1).length === 2)
  ended(told, 2, 1)
  await until('a record', () => kinds(1).length === 3)
  t.same(
    messagesOf(collector.streams[1]!).map(({ setId, sequence }) => [setId, sequence]),
    [
      [2, 0],
      [2, 0],
      [256, 0],
    ],
  )
  t.match(ipfix.view(), {
    ipfix: { aggregator: { records: 6, connections: 2, waiting: 0, connected: true } },
  })
  t.match(ipfix.losses(), { 'ipfix/dropped': 0 })
})

t.test('while the collector is away records wait, as many as may', async t => {
  const port = await freePort()
  const { told, ipfix, warnings } = sending(t, {
    externalFlowCollectorAddr: `127.0.0.1:${port}:tcp`,
    ipfixQueueSize: '64K',
  })
  await until('a warning', () => warnings.length > 0)
  t.match(warnings, [
    new RegExp(`^ipfix aggregator 127.0.0.1:${port}: ECONNREFUSED; trying again, 0 records wait$`),
  ])
  for (let window = 0; window < 3; window++) ended(told, window, 100)
  const dropped = ipfix.losses()['ipfix/dropped']!
  t.ok(dropped > 0, `${dropped} dropped`)
  const collector = await listenTcp(port)
  t.teardown(() => collector.close())
  const directory = await scratch(cleanup, 'ipfix')
  const of = () => messagesOf(collector.streams[0] ?? Buffer.alloc(0))
  const found = await until('the others', () => {
    const records = of().length > 2 ? readByPython(collector.streams[0]!, directory) : []
    return records.length === 300 - dropped && records
  })
  t.equal(found.at(-1)?.octetTotalCount, 99, 'the youngest is there')
  t.equal(found[0]?.octetTotalCount, dropped % 100, 'the oldest are not')
})

t.test('an exporter has a domain for each node, and templates in each', async t => {
  const collector = await listenTcp()
  t.teardown(() => collector.close())
  const { told } = sending(t, {
    flowCollectorAddr: `127.0.0.1:${collector.port}:tcp`,
    enableTlsToFlowAggregator: false,
  })
  told.rows('node-a', 0, 'tcp_flow', { ...CLIENT, ...carrying(1, 1) })
  told.rows('node-b', 0, 'tcp_flow', { ...SERVER, ...carrying(2, 1) })
  told.silence(0, 2, 'node-a', 'node-b')
  const all = () => messagesOf(collector.streams[0] ?? Buffer.alloc(0))
  await until('both halves', () => all().filter(({ setId }) => setId !== 2).length === 2)
  const byDomain = Map.groupBy(all(), ({ domain }) => domain)
  t.equal(byDomain.size, 2)
  for (const messages of byDomain.values())
    t.same(
      messages.map(({ setId, sequence }) => [setId, sequence]),
      [
        [2, 0],
        [2, 0],
        [256, 0],
      ],
    )
})

t.test('over UDP messages are short, and templates come again', async t => {
  const collector = await listenUdp()
  t.teardown(() => collector.close())
  const { told } = sending(t, {
    externalFlowCollectorAddr: `127.0.0.1:${collector.port}:udp`,
    ipfixTemplateRefresh: '1s',
  })
  await until('templates', () => collector.datagrams.length >= 2)
  ended(told, 0, 20)
  const records = () => messagesOf(Buffer.concat(collector.datagrams)).filter(({ setId }) => setId !== 2)
  await until('a refresh', () => collector.datagrams.length - records().length >= 6)
  t.ok(collector.datagrams.every(({ length }) => length <= 512))
  t.ok(collector.datagrams.every(datagram => messagesOf(datagram).length === 1))
  const found = readByPython(Buffer.concat(collector.datagrams), await scratch(cleanup, 'ipfix'))
  t.same(
    found.map(({ octetTotalCount }) => octetTotalCount),
    Array.from({ length: 20 }, (_, at) => at),
  )
})

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())

t.test('over TLS, where each side proves who it is', { skip: needs('openssl') }, async t => {
  const authority = new Authority(await scratch(cleanup, 'ipfix'))
  const [server, client, other] = [
    authority.sign('aggregator'),
    authority.sign('us'),
    authority.sign('other'),
  ]
  const collector = await listenTcp(0, {
    cert: readFileSync(server.certificate),
    key: readFileSync(server.key),
    ca: readFileSync(authority.certificate),
    ...{ requestCert: true, rejectUnauthorized: true },
  })
  t.teardown(() => collector.close())
  const flags = {
    flowCollectorAddr: `127.0.0.1:${collector.port}`,
    ...{ ipfixCa: authority.certificate, ipfixCertificate: client.certificate, ipfixKey: client.key },
  }
  t.test('with its name', async t => {
    const { told } = sending(t, { ...flags, flowAggregatorAddress: 'aggregator' })
    ended(told, 0, 1)
    const messages = () => messagesOf(collector.streams.at(-1) ?? Buffer.alloc(0))
    await until('a record', () => messages().length === 3)
  })
  t.test('with another name, or without our certificate, nothing is sent', async t => {
    const before = collector.streams.length
    const { warnings } = sending(t, { ...flags, flowAggregatorAddress: 'other' })
    await until('a warning', () => warnings.length > 0)
    t.match(warnings[0], /does not match certificate/)
    const { ipfixCertificate: _, ipfixKey: __, ...unknown } = flags
    const alone = sending(t, { ...unknown, flowAggregatorAddress: 'aggregator' })
    await until('a warning', () => alone.warnings.length > 0)
    t.match(alone.warnings[0], /^ipfix exporter 127/)
    t.equal(
      collector.streams.slice(before).reduce((sum, { length }) => sum + length, 0),
      0,
    )
  })
  t.test('of an authority that nobody knows, or without TLS, the log says what to do', async t => {
    const { ipfixCa: _, ...without } = flags
    const plain = createServer(socket => socket.on('error', () => {}).end('220 hello\r\n'))
    plain.listen(0, '127.0.0.1')
    await once(plain, 'listening')
    t.teardown(() => plain.close())
    const { port } = plain.address() as { port: number }
    for (const [more, says] of [
      [without, /: its certificate is signed by nobody .* as --ipfix-ca; trying again/],
      [{ ...flags, flowCollectorAddr: `127.0.0.1:${port}` }, /: it does not speak TLS; trying again/],
    ] as const) {
      const { warnings } = sending(t, { ...more, flowAggregatorAddress: 'aggregator' })
      await until('a warning', () => warnings.length > 0)
      t.match(warnings[0], says)
    }
  })
  t.ok(other)
})

t.test('JSON: a line a record, and over UDP a datagram', async t => {
  const [stream, datagrams] = [await listenTcp(), await listenUdp()]
  t.teardown(() => Promise.all([stream.close(), datagrams.close()]))
  for (const [address, received] of [
    [`127.0.0.1:${stream.port}`, () => (stream.streams[0] ?? '').toString().split(/(?<=\n)/)],
    [`127.0.0.1:${datagrams.port}:udp`, () => datagrams.datagrams.map(String)],
  ] as const) {
    const { told } = sending(t, { externalFlowCollectorAddr: address, ipfixFormat: 'json' })
    ended(told, 0, 3)
    const lines = await until('three', () => received().length === 3 && received())
    for (const [at, line] of lines.entries()) {
      t.ok(line.endsWith('}\n'))
      t.match(JSON.parse(line), { ipfix: { sourcePodName: 'client-0', octetTotalCount: at, flowType: 3 } })
    }
  }
})

t.test('a record longer than any message is counted', async t => {
  const collector = await listenTcp()
  t.teardown(() => collector.close())
  const { told, ipfix } = sending(t, { externalFlowCollectorAddr: `127.0.0.1:${collector.port}` })
  const pods = { u1: { name: 'p'.repeat(66_000), namespace: 'default' } }
  const names = { ...NAMES, pods }
  told.stage.rows('node-a', 0, 'tcp_flow', [{ ...CLIENT, remote: '192.0.2.9', closed_ns: 5e9 }], names)
  told.stage.end('node-a', 0, names)
  told.end(1, 'node-a')
  t.equal(ipfix.losses()['ipfix/too_long'], 1)
})

t.test('over UDP a port that nobody listens on is noticed, and templates come first again', async t => {
  const port = await freePort()
  const { told, warnings, ipfix } = sending(t, { externalFlowCollectorAddr: `127.0.0.1:${port}:udp` })
  await until('a warning', () => warnings.length > 0)
  t.match(warnings[0], /: ECONNREFUSED; trying again/)
  const collector = await listenUdp(port)
  t.teardown(() => collector.close())
  ended(told, 0, 1)
  const messages = () => messagesOf(Buffer.concat(collector.datagrams))
  await until('a record', () => messages().some(({ setId }) => setId === 256))
  t.same([messages()[0]?.setId, messages()[1]?.setId], [2, 2])
  t.ok(ipfix.view().ipfix)
})
