/** The sequence number over many records and a new connection: nfcapd counts each gap. */

import t from 'tap'
import { Output } from '../../../collector/ipfix/output.ts'
import type { Connection } from '../../../collector/ipfix/send/connection.ts'
import { OPENERS } from '../../../collector/ipfix/send/openers.ts'
import { Sender } from '../../../collector/ipfix/send/sender.ts'
import { IpfixSpeaker } from '../../../collector/ipfix/send/speaker.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { startNfcapd } from '../../harness/ipfix/collectors.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { until } from '../../harness/until.ts'
import { RECORD } from './given.ts'

const RECORDS = 100_000

t.test('100,000 records and a new connection', { skip: needs('nfcapd') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const collector = await startNfcapd(await scratch(cleanup, 'ipfix'))
  cleanup.defer(() => collector.close())
  const output = new Output(
    { profile: 'aggregate-seed', times: 'ms', format: 'ipfix', domain: 7, maxRecord: 60_000 },
    entry => sender.add(entry),
  )
  const speaker = new IpfixSpeaker({
    templates: [output.templates[4], output.templates[6]],
    ...{ domains: [7], maxMessage: 1400, isStream: false, refreshS: 600 },
  })
  const target = { host: '127.0.0.1', port: collector.port, transport: 'udp' as const }
  const opened: (Connection & { failure: Error | undefined })[] = []
  const sender = new Sender(
    {
      ...{ name: 'nfcapd', maxBytes: 2 ** 30, burst: { messages: 64, pauseMs: 5 }, firstDelayMs: 1 },
    },
    async signal => {
      const connection = await OPENERS.udp(target, {}, signal)
      opened.push(connection)
      return connection
    },
    speaker,
    { warn() {} },
  )
  sender.start()
  cleanup.defer(() => sender.close(0))
  for (let at = 0; at < RECORDS; at++)
    output.emit({ ...RECORD, source: { ip: '10.10.0.5', port: 1024 + (at % 60_000) } })
  await until('half of it', () => sender.counters.records > RECORDS / 2, 60_000)
  opened[0]!.failure = new Error('cut by the test')
  await until('all', () => sender.counters.records === RECORDS, 60_000)
  t.equal(opened.length, 2)
  const { said, csv } = await collector.stop()
  t.match(said, new RegExp(`Flows: ${RECORDS}, .*Sequence Errors: 0, Bad Packets: 0`))
  const [first = ''] = csv.split('\n')
  t.match(
    first,
    /^2023-11-14 \d\d:13:20,2023-11-14 \d\d:14:20,60\.500,10\.10\.0\.5,10\.10\.1\.7,/,
    'times in ms',
  )
  t.match(first, /,10,1234,9,4321,/, 'what it carried, and back')
})
