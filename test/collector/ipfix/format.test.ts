import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ElementName } from '../../../collector/ipfix/format/elements.ts'
import { encoderOf, type Value } from '../../../collector/ipfix/format/encode.ts'
import { jsonOf } from '../../../collector/ipfix/format/json.ts'
import { dataMessage, domainOf, templateMessage } from '../../../collector/ipfix/format/message.ts'
import { PROFILES, type Profile, templateOf } from '../../../collector/ipfix/format/templates.ts'
import type { IpfixRecord } from '../../../collector/ipfix/record/record.ts'
import { VALUES } from '../../../collector/ipfix/record/values.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { dump, dumped, readByPython } from '../../harness/ipfix/readers.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { RECORD, RECORD6 } from './given.ts'

const READERS = { skip: needs('pythonIpfix', 'ipfixDump') }
const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const HEAD = { time: 1_700_000_061, sequence: 0, domain: 1 }
const of = (record: IpfixRecord) => (name: ElementName) => VALUES[name](record)

/** Written from RFC 7011 (3.1 to 3.4, 7) and checked against it by hand, byte by byte: not taken from the program. */
function golden(): Buffer[] {
  const text = readFileSync(join(import.meta.dirname, '../../golden/ipfix.txt'), 'utf8')
  return text
    .split(/^# .*\n/m)
    .slice(1)
    .map(part => Buffer.from(part.replace(/ {2}.*$/gm, '').replaceAll('\n', ''), 'hex'))
}

t.test('templates and records are what RFC 7011 says', async t => {
  const [template4, template6, record4, record6] = golden()
  const [seed4, seed6] = [templateOf('antrea-seed', 4), templateOf('antrea-seed', 6)]
  t.same([template4!.length, template6!.length], [224, 224])
  t.same(templateMessage(HEAD, seed4), template4)
  t.same(templateMessage(HEAD, seed6), template6)
  const allowed =
    (record: IpfixRecord) =>
    (name: ElementName): Value => {
      if (name === 'ingressNetworkPolicyName') return 'web-allow'
      return name === 'ingressNetworkPolicyNamespace' ? 'shop' : of(record)(name)
    }
  t.same(dataMessage(HEAD, seed4, [encoderOf(seed4)(allowed(RECORD))]), record4)
  t.same(dataMessage({ ...HEAD, sequence: 1 }, seed6, [encoderOf(seed6)(allowed(RECORD6))]), record6)
})

t.test('how many elements each template has', async t => {
  const counts = { 'antrea-seed': 31, 'aggregate-seed': 49, antrea: 43, aggregate: 70 }
  for (const [profile, count] of Object.entries(counts) as [Profile, number][])
    for (const family of [4, 6] as const) {
      const { names } = templateOf(profile, family)
      t.equal(names.length, count, `${profile} ${family}`)
      t.equal(new Set(names).size, count, 'none twice')
    }
})

t.test('observation domains are FNV-1 of a name', async t => {
  // test vectors of the FNV reference code: an empty text, a, foobar
  t.same([domainOf(''), domainOf('a'), domainOf('foobar')], [0x811c9dc5, 0x050c5d7e, 0x31f0b262])
})

t.test('other readers find in every template what was put there', READERS, async t => {
  const directory = await scratch(cleanup, 'ipfix')
  for (const profile of Object.keys(PROFILES) as Profile[])
    for (const times of ['s', 'ms'] as const) {
      const records = [RECORD, RECORD6].map(record => {
        const template = templateOf(profile, record.family, times)
        const bytes = encoderOf(template)(of(record))
        const head = { ...HEAD, sequence: record.family === 4 ? 0 : 1 }
        const messages = [templateMessage(head, template), dataMessage(head, template, [bytes])]
        return { record, template, messages }
      })
      const stream = Buffer.concat(records.flatMap(({ messages }) => messages))
      const [byPython, byFixbuf] = [readByPython(stream, directory), dumped(dump(stream, directory))]
      for (const [at, { record, template }] of records.entries()) {
        const wanted = Object.fromEntries(template.names.map(name => [name, expected(name, record)]))
        t.same(byPython[at], wanted, `${profile} ${times} ${record.family} python3-ipfix`)
        t.same(Object.keys(byPython[at]!), template.names, 'in its order')
        for (const name of template.names)
          t.equal(same(byFixbuf[at]![name]!), same(String(wanted[name])), `${profile} ${name} ipfixDump`)
      }
    }
})

/** As python3-ipfix shows it: whole numbers, times in milliseconds. */
function expected(name: ElementName, record: IpfixRecord): Value {
  const value = VALUES[name](record)
  if (typeof value === 'string') return value
  if (name.includes('Milliseconds')) return Math.trunc(value)
  return Math.trunc(value) * (/^flow(Start|End)Seconds/.test(name) ? 1000 : 1)
}

/** ipfixDump writes times as text in UTC, and IPv6 with all zeros. */
function same(text: string): string {
  if (/^\d{4}-\d\d-\d\d /.test(text)) return String(Date.parse(`${text.replace(' ', 'T')}Z`))
  return /^[\da-f:]+$/.test(text) && text.includes(':') ? text.replace(/(?<=^|:)0+(?=[\da-f])/g, '') : text
}

t.test('texts of every length', READERS, async t => {
  const directory = await scratch(cleanup, 'ipfix')
  const template = templateOf('antrea-seed', 4)
  const texts = [0, 1, 254, 255, 300, 65_000].map(length => 'p'.repeat(length))
  texts.push('Grüße, 世界', '🦈'.repeat(70))
  const stream = [templateMessage(HEAD, template)]
  for (const [sequence, pod] of texts.entries()) {
    const bytes = encoderOf(template)(of({ ...RECORD, client: { ...RECORD.client, pod } }))
    stream.push(dataMessage({ ...HEAD, sequence }, template, [bytes]))
  }
  const found = readByPython(Buffer.concat(stream), directory)
  t.same(
    found.map(({ sourcePodName }) => sourcePodName),
    texts,
  )
  t.ok(found.every(({ sourcePodNamespace }) => sourcePodNamespace === 'default'))
  t.match(dump(Buffer.concat(stream), directory), /8 Data Records, 1 Template/)
})

t.test('numbers that do not fit are the largest that do; what is not known is nothing', async t => {
  const template = templateOf('antrea-seed', 4)
  const total = { ...RECORD.total, bytes: 2 ** 53 + 2, packets: -1 }
  const record = { ...RECORD, total, destination: { ip: '', port: 70_000 } }
  const bytes = encoderOf(template)(of(record))
  t.equal(bytes.readUInt16BE(11), 65_535, 'port')
  t.equal(bytes.readBigUInt64BE(14), 0n, 'packets')
  t.equal(bytes.readBigUInt64BE(22), BigInt(2 ** 53 + 2), 'octets')
  t.equal(bytes.readUInt32BE(50), 0, 'address')
})

const { snat: _, ...RECORD_WITHOUT_SNAT } = RECORD
t.test('JSON has the same names, sorted', async t => {
  const template = templateOf('aggregate', 4)
  const text = jsonOf(template, of(RECORD_WITHOUT_SNAT), 1_700_000_061_000, false)
  t.ok(text.endsWith('}\n') && text.indexOf('\n') === text.length - 1, 'one line')
  const { '@timestamp': time, ipfix, incomplete } = JSON.parse(text)
  t.same([time, incomplete], ['2023-11-14T22:14:21.000Z', undefined])
  t.same(Object.keys(ipfix), [...template.names].sort())
  t.match(ipfix, {
    ...{ sourceIPv4Address: '10.10.0.5', octetTotalCount: 123_456, flowStartSeconds: 1_700_000_000 },
    ...{ proxySnatIPv4: '0.0.0.0', sourcePodLabels: '{"app":"client"}', destinationPodLabels: '{}' },
    ...{ throughput: 163, throughputFromSourceNode: 164, egressName: '' },
  })
  t.match(JSON.parse(jsonOf(template, of(RECORD), 0, true)), { incomplete: true })
})

t.test(
  'an address of the other family is none in an element of IPv4, and mapped in one of IPv6',
  READERS,
  async t => {
    const other = { name: 'shop/web:http', port: 80 }
    const four = { ...RECORD, service: { ...other, ip: 'fd00:2::a60:a' }, snat: { ip: 'fd00::1', port: 4 } }
    const six = { ...RECORD6, service: { ...other, ip: '10.96.0.10' }, snat: { ip: '10.10.0.1', port: 4 } }
    const [family4, family6] = [templateOf('aggregate', 4), templateOf('aggregate', 6)]
    const messages = Buffer.concat([
      ...[family4, family6].map(template => templateMessage(HEAD, template)),
      dataMessage(HEAD, family4, [encoderOf(family4)(of(four))]),
      dataMessage({ ...HEAD, sequence: 1 }, family6, [encoderOf(family6)(of(six))]),
    ])
    const [read4, read6] = readByPython(messages, await scratch(cleanup, 'ipfix'))
    const none = {
      destinationClusterIPv4: '0.0.0.0',
      proxySnatIPv4: '0.0.0.0',
      sourceIPv4Address: '10.10.0.5',
    }
    t.match(read4, none)
    t.match(JSON.parse(jsonOf(family4, of(four), 0, false)), { ipfix: none })
    t.match(read6, { destinationClusterIPv6: '::ffff:a60:a', destinationServiceIPv6: '::ffff:a60:a' })
    t.match(JSON.parse(jsonOf(family6, of(six), 0, false)), {
      ipfix: { destinationClusterIPv6: '::ffff:10.96.0.10' },
    })
  },
)
