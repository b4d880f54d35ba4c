/**
 * Two hosts with a probe each, and a conversation between their pods. One probe falls silent: the record is waited for, goes out without
 * its end, marked and counted, and is whole again when the probe goes on. It is read as JSON, and as IPFIX by somebody else.
 */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { listenTcp, type StreamCollector } from '../harness/ipfix/collectors.ts'
import { type Found, readByPython } from '../harness/ipfix/readers.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { type Child, signal, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { veth } from '../harness/veth.ts'

const [ADDRESS_A, ADDRESS_B, PORT] = ['10.9.0.1', '10.9.0.2', 9000]
const PERIOD_S = 1
const WAIT_PERIODS = 3

const SERVER = `require('net').createServer(s => s.on('error', () => {}).pipe(s)).listen(${PORT}, () => console.log('ready'))`
/** Says its port, and sends ten bytes ten times a second. */
const CLIENT = `const s = require('net').connect(${PORT}, '${ADDRESS_B}', () => console.log(s.localPort))
s.resume(); setInterval(() => s.write('0123456789'), 100)`

type Line = { readonly ipfix: Found; readonly incomplete?: true }

async function child(t: Test, command: readonly string[]): Promise<Child> {
  const started = start([...command])
  t.teardown(() => started.close())
  return started
}

/** A collector that sends to a receiver. */
async function sends(t: Test, flags: readonly string[]): Promise<{ site: Site; receiver: StreamCollector }> {
  const [site, receiver] = [await openSite(), await listenTcp()]
  t.teardown(() => receiver.close())
  t.teardown(() => site.close())
  const to = ['--external-flow-collector-addr', `127.0.0.1:${receiver.port}`]
  await site.collector([
    ...to,
    ...['--flow-aggregator-template', 'aggregate', '--flow-export-interval', `${PERIOD_S}s`, ...flags],
  ])
  return { site, receiver }
}

t.test('one probe silenced', { skip: needs('root', 'bpf', 'netns', 'pythonIpfix') }, async t => {
  const [a, b] = [await createNetns(), await createNetns()]
  for (const netns of [a, b]) t.teardown(() => netns.close())
  await veth(a.path, [`${ADDRESS_A}/24`], b.path, [`${ADDRESS_B}/24`])
  const [json, ipfix] = [await sends(t, ['--ipfix-format', 'json']), await sends(t, [])]
  const endpoints = [json.site.endpoint, ipfix.site.endpoint]
  const probe = async (host: string, netns: string, ...pod: string[]) => {
    const script = join(import.meta.dirname, '../harness/host_probe.ts')
    const started = await child(t, [process.execPath, script, host, netns, ...pod, ...endpoints])
    await started.line(/attached/, 60_000)
    return started
  }
  const inPod = (netns: string, script: string) => child(t, inNetns(netns, [process.execPath, '-e', script]))
  const client = async () => Number(await (await inPod(a.path, CLIENT)).line(/^\d+$/))
  await (await inPod(b.path, SERVER)).line(/ready/)
  const [probeA, probeB] = [
    await probe('node-a', a.path, 'client-0', 'default'),
    await probe('node-b', b.path, 'web-0', 'shop'),
  ]

  const lines = (port: number): Line[] =>
    (json.receiver.streams[0]?.toString() ?? '')
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as Line)
      .filter(({ ipfix }) => ipfix.sourceTransportPort === port)
  const read = (port: number): Found[] => {
    const stream = ipfix.receiver.streams[0]
    const all = stream?.length ? readByPython(stream, ipfix.site.directory) : []
    return all.filter(({ sourceTransportPort }) => sourceTransportPort === port)
  }
  const incomplete = async ({ site }: { site: Site }) =>
    Number((await site.stats()).ipfix?.['aggregator']?.['incomplete'])

  const port = await client()
  const source = { sourcePodName: 'client-0', sourcePodNamespace: 'default', sourceNodeName: 'node-a' }
  const destination = { destinationPodName: 'web-0', destinationPodNamespace: 'shop' }
  const whole = await until(
    'a record of both',
    () => lines(port).find(({ incomplete }) => !incomplete),
    60_000,
  )
  t.match(whole.ipfix, {
    ...{ ...source, ...destination, destinationNodeName: 'node-b', flowType: 2, tcpState: 'ESTABLISHED' },
    ...{ sourceIPv4Address: ADDRESS_A, destinationIPv4Address: ADDRESS_B, destinationTransportPort: PORT },
  })
  t.ok(Number(whole.ipfix.octetTotalCountFromDestinationNode) > 0)

  signal(probeB.pid, 'SIGSTOP')
  const first = await until(
    'an incomplete record',
    () => lines(port).find(({ incomplete }) => incomplete),
    60_000,
  )
  t.match(first.ipfix, { ...source, ...destination, flowType: 2 }, 'its pod is known from before')
  const { flowEndSeconds, flowEndSecondsFromDestinationNode: heard } = first.ipfix
  t.ok(Number(flowEndSeconds) - Number(heard) >= WAIT_PERIODS * PERIOD_S, `${heard} to ${flowEndSeconds}`)
  t.ok(
    Number(first.ipfix.octetTotalCountFromDestinationNode) <
      Number(first.ipfix.octetTotalCountFromSourceNode),
    'its numbers are those of long ago',
  )
  t.ok((await incomplete(json)) > 0)

  signal(probeB.pid, 'SIGCONT')
  const again = await until(
    'both again',
    () => {
      const all = lines(port)
      return all.slice(all.findIndex(({ incomplete }) => incomplete)).find(({ incomplete }) => !incomplete)
    },
    60_000,
  )
  t.ok(
    Number(again.ipfix.octetTotalCountFromDestinationNode) >
      Number(first.ipfix.octetTotalCountFromDestinationNode),
    'what was late has come',
  )

  signal(probeB.pid, 'SIGKILL')
  await probeB.exited
  const before = [await incomplete(json), await incomplete(ipfix)]
  const later = await client()
  const half = await until('a record of a conversation that it has not seen', () => lines(later)[0], 60_000)
  const nothing = {
    ...{ destinationPodName: '', destinationNodeName: '', octetTotalCountFromDestinationNode: 0 },
    ...{ packetDeltaCountFromDestinationNode: 0, flowEndSecondsFromDestinationNode: 0, flowType: 2 },
  }
  t.match(half, { incomplete: true, ipfix: { ...source, ...nothing } })
  const { flowStartSeconds: began, flowEndSeconds: told } = half.ipfix
  t.ok(Number(told) - Number(began) >= WAIT_PERIODS * PERIOD_S, `${began} to ${told}`)
  t.match(await until('the same as IPFIX', () => read(later)[0], 60_000), { ...source, ...nothing })
  t.ok((await incomplete(json)) > before[0]!)
  t.ok((await incomplete(ipfix)) > before[1]!)
  t.ok(read(port).length > 1)
  probeA.close()
})
