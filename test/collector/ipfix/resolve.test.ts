/** Over UDP a collector that has moved says nothing: its name does. */

import t from 'tap'
import { parseAddress } from '../../../collector/ipfix/send/address.ts'
import { datagrams } from '../../../collector/ipfix/send/openers.ts'
import { Sender } from '../../../collector/ipfix/send/sender.ts'
import { JsonSpeaker } from '../../../collector/ipfix/send/speaker.ts'
import { listenUdp } from '../../harness/ipfix/collectors.ts'
import { until } from '../../harness/until.ts'

const { signal } = new AbortController()
const address = (port: number) => {
  const found = parseAddress(`collector.example:${port}:udp`)
  if (typeof found === 'string') throw new Error(found)
  return found
}
const at = (...addresses: readonly string[]) => addresses.map(address => ({ address, family: 4 }))

t.test('a collector whose name gets another address is sent to there', async t => {
  const collector = await listenUdp()
  t.teardown(() => collector.close())
  const warned: string[] = []
  // nobody listens at the first one, and nobody says so
  let addresses = at('127.0.0.3')
  const sender = new Sender(
    { name: 'ipfix', maxBytes: 1e6, burst: undefined, firstDelayMs: 10 },
    signal => datagrams(address(collector.port), signal, async () => addresses, 20),
    new JsonSpeaker(0),
    { warn: (_, text) => warned.push(text) },
  )
  sender.start()
  t.teardown(() => sender.close(0))
  await until('the connection', () => sender.isConnected)
  addresses = at('127.0.0.1')
  await until('the next one', () => sender.counters.connections === 2)
  t.match(warned, [/collector\.example is no longer 127\.0\.0\.3; trying again/])
  sender.add({ bytes: Buffer.from('a'), domain: 1, template: { id: 256, family: 4, names: [] } })
  await until('the record', () => collector.datagrams.length === 1)
})

for (const [what, later] of [
  ['still has its address, in another order', async () => at('127.0.0.2', '127.0.0.1')],
  ['is not resolved for a while', () => Promise.reject(new Error('EAI_AGAIN'))],
  ['has no address for a while', async () => []],
] as const)
  t.test(`a name that ${what} keeps its connection`, async t => {
    let asked = 0
    const resolve = async (_: string) => (asked++ === 0 ? at('127.0.0.1') : await later())
    const connection = await datagrams(address(9), signal, resolve, 10)
    t.teardown(() => connection.close())
    await until('several looks', () => asked > 3)
    t.equal(connection.failure, undefined)
  })

t.test('a name without an address is told of', async t => {
  await t.rejects(
    datagrams(address(9), signal, async () => []),
    /collector\.example has no address/,
  )
  await t.rejects(
    datagrams(address(9), signal, () => Promise.reject(new Error('EAI_AGAIN'))),
    /EAI_AGAIN/,
  )
})
