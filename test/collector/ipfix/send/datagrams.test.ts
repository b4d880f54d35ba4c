import t from 'tap'
import { encoderOf } from '../../../../collector/ipfix/format/encode.ts'
import { templateOf } from '../../../../collector/ipfix/format/templates.ts'
import { VALUES } from '../../../../collector/ipfix/record/values.ts'
import { datagrams } from '../../../../collector/ipfix/send/openers.ts'
import { IpfixSpeaker } from '../../../../collector/ipfix/send/speaker.ts'
import { Waiting } from '../../../../collector/ipfix/send/waiting.ts'
import { messagesOf } from '../../../harness/ipfix/collectors.ts'
import { until } from '../../../harness/until.ts'
import { RECORD } from '../given.ts'
import { keeping, senderTo } from './given.ts'

const BURST = { messages: 8, pauseMs: 1 }
/** All records of these tests are of one length. */
const LENGTH = encoderOf(templateOf('antrea-seed', 4))(name => VALUES[name](RECORD)).length

t.test('templates and records count: no more in a row than a burst', async t => {
  let turn = 0
  const timer = setInterval(() => turn++, 1)
  t.teardown(() => clearInterval(timer))
  const turns: number[] = []
  const { sender, emit } = senderTo(t, async () => keeping(() => void turns.push(turn)), BURST)
  // every record has another domain: each is one datagram, with two of templates before it
  emit(40, at => `node-${at}`)
  await until('all', () => sender.counters.records === 40)
  t.equal(turns.length, 2 + 40 * 3)
  const rows = Map.groupBy(turns, turn => turn)
  t.ok(rows.size >= turns.length / BURST.messages - 1, `${rows.size} rows`)
})

t.test('a record that could not be sent has used no number', async t => {
  const messages: Buffer[] = []
  let left = 5
  const open = async () =>
    keeping(bytes => {
      if (left-- === 0) throw new Error('cut by the test')
      messages.push(bytes)
    })
  const { sender, emit } = senderTo(t, open, BURST)
  emit(40)
  await until('all', () => sender.counters.records === 40)
  t.equal(sender.counters.connections, 2)
  let next = 0
  for (const { bytes, setId, sequence } of messagesOf(Buffer.concat(messages))) {
    if (setId === 2) continue
    t.equal(sequence, next, `message of ${bytes.length} bytes`)
    next += (bytes.length - 20) / LENGTH
  }
  t.equal(next, 40)
})

t.test('nodes that have no record have no templates again', async t => {
  const template = templateOf('antrea-seed', 4)
  const speaker = new IpfixSpeaker({
    templates: [template],
    ...{ domains: [7], maxMessage: 512, isStream: false, refreshS: 600 },
  })
  const waiting = new Waiting(2 ** 20)
  const domains = (bytes: readonly { readonly bytes: Buffer }[]) =>
    bytes.map(({ bytes }) => bytes.readUInt32BE(12))
  t.same(domains(speaker.greet(1000)), [7])
  for (let domain = 100; domain < 200; domain++) {
    waiting.add({ bytes: Buffer.alloc(40), domain, template })
    t.same(domains(speaker.next(waiting, 1000)), [domain, domain], 'templates, then a record')
  }
  t.same(domains(speaker.again(1599)), [])
  t.same(domains(speaker.again(1600)), [7])
  waiting.add({ bytes: Buffer.alloc(40), domain: 150, template })
  t.same(domains(speaker.next(waiting, 1600)), [150, 150], 'they come when it has one')
  t.same(domains(speaker.greet(1601)), [7])
})

t.test('a resolver that does not answer does not keep us from stopping', async t => {
  const address = { host: 'collector.example', port: 9, transport: 'udp' } as const
  const { sender } = senderTo(t, signal => datagrams(address, signal, () => new Promise(() => {})), BURST)
  await sender.close(0)
  t.equal(sender.counters.connections, 0)
})
