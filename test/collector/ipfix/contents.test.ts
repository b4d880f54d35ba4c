/** What a record of today has is chosen by settings; it is read as others read it, and as JSON. */

import t, { type Test } from 'tap'
import { domainOf } from '../../../collector/ipfix/format/message.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { listenTcp } from '../../harness/ipfix/collectors.ts'
import { type Found, readByPython } from '../../harness/ipfix/readers.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { until } from '../../harness/until.ts'
import { ended, sending } from './sending.ts'

const READER = { skip: needs('pythonIpfix') }
const cleanup = new Cleanup()
t.teardown(() => cleanup.close())

/** The record of a conversation as a collector reads it. */
async function sent(t: Test, flags: Record<string, unknown>): Promise<Found> {
  const collector = await listenTcp()
  t.teardown(() => collector.close())
  const { told } = sending(t, {
    ...{ externalFlowCollectorAddr: `127.0.0.1:${collector.port}`, flowAggregatorTemplate: 'aggregate' },
    ...flags,
  })
  ended(told, 0, 1)
  const stream = () => collector.streams[0] ?? Buffer.alloc(0)
  if (flags['ipfixFormat'] === 'json') {
    const line = await until('a line', () => stream().toString().split('\n').slice(0, -1)[0])
    return JSON.parse(line).ipfix
  }
  const directory = await scratch(cleanup, 'ipfix')
  return until('a record', () => (stream().length > 0 ? readByPython(stream(), directory)[0] : undefined))
}

t.test('the id of the cluster', READER, async t => {
  for (const ipfixFormat of ['ipfix', 'json']) {
    t.equal((await sent(t, { ipfixFormat })).clusterId, '')
    const ipfixClusterId = 'aa8f5f1c-6f8c-4f5a-9d0e-1b1f3c2d4e5f'
    t.equal((await sent(t, { ipfixFormat, ipfixClusterId })).clusterId, ipfixClusterId)
    t.equal((await sent(t, { ipfixFormat, ipfixClusterId: 'Köln 1' })).clusterId, 'Köln 1')
  }
})

t.test('UIDs, names, both or neither', READER, async t => {
  const zero = '00000000-0000-0000-0000-000000000000'
  const [ipfix, json] = [
    await sent(t, { ipfixUids: true }),
    await sent(t, { ipfixUids: true, ipfixFormat: 'json' }),
  ]
  t.match(ipfix, { sourcePodName: 'client-0', sourcePodUUID: '0'.repeat(32), egressUUID: '0'.repeat(32) })
  t.match(json, { sourcePodName: 'client-0', sourcePodUUID: zero, destinationServiceUUID: zero })
  const alone = await sent(t, { ipfixNames: false })
  t.notOk(['sourcePodName', 'sourcePodUUID', 'egressName'].some(name => name in alone))
  t.match(alone, {
    sourceIPv4Address: '10.10.0.5',
    destinationServicePort: 0,
    sourcePodLabels: '{"app":"client"}',
  })
})

t.test('what each node has seen, in mode Proxy', READER, async t => {
  const flags = { flowAggregatorMode: 'Proxy', ipfixClusterId: 'c', ipfixDomain: 7 }
  const of = { sourcePodName: 'client-0', clusterId: 'c', flowDirection: 1, flowType: 3 }
  const node = { originalExporterIPv4Address: '0.0.0.0', originalExporterIPv6Address: '::' }
  for (const ipfixFormat of ['ipfix', 'json']) {
    const found = await sent(t, { ...flags, ipfixFormat })
    t.match(found, { ...of, ...node, originalObservationDomainId: domainOf('node-a') })
    t.notOk('throughput' in found)
  }
})

t.test('without labels their elements are empty', READER, async t => {
  t.match(await sent(t, {}), { sourcePodLabels: '{"app":"client"}' })
  for (const ipfixFormat of ['ipfix', 'json'])
    t.match(await sent(t, { ipfixFormat, ipfixPodLabels: false }), {
      sourcePodLabels: '',
      destinationPodLabels: '',
    })
})
