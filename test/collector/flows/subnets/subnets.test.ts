import t from 'tap'
import { subnetsOf } from '../../../../collector/flows/subnets/file.ts'
import { type SubnetLabel, Subnets } from '../../../../collector/flows/subnets/subnets.ts'

const LABELS: readonly SubnetLabel[] = [
  { name: 'all of ten', cidrs: ['10.0.0.0/8'] },
  { name: 'one', cidrs: ['10.1.2.3', '2001:db8::1/128'] },
  { name: 'AWS_S3_eu-west-3', cidrs: ['3.5.204.0/22', '2001:db8::/33'] },
  { name: 'the rest', cidrs: ['0.0.0.0/0'] },
]

const bound = (subnets: Subnets) => ({ nameOf: (ip: string) => subnets.nameOf(ip) })

t.test('the first range that fits, in the order of the list', async t => {
  const { nameOf } = bound(new Subnets(LABELS))
  t.equal(nameOf('3.5.205.175'), 'AWS_S3_eu-west-3')
  t.equal(nameOf('3.5.208.0'), 'the rest')
  t.equal(nameOf('10.1.2.3'), 'all of ten')
  t.equal(nameOf('2001:db8:7fff::1'), 'AWS_S3_eu-west-3')
  t.equal(nameOf('2001:db8:8000::1'), '', 'an IPv4 range has no IPv6 address')
  t.equal(nameOf('2001:db8::1'), 'one')
})

t.test('the smallest range that fits', async t => {
  const { nameOf } = bound(new Subnets(LABELS, 'longest'))
  t.equal(nameOf('10.1.2.3'), 'one')
  t.equal(nameOf('10.1.2.4'), 'all of ten')
  t.equal(nameOf('2001:db8::1'), 'one')
  t.equal(nameOf('11.0.0.1'), 'the rest')
})

t.test('a list, and the settings of another system as they stand', async t => {
  const labels = [{ name: 'AWS_S3_eu-west-3', cidrs: ['3.5.204.0/22', '52.95.154.0/23'] }]
  const snippet = `
spec:
  processor:
    subnetLabels:
      openShiftAutoDetect: true
      customLabels:
        - cidrs: [3.5.204.0/22, 52.95.154.0/23]
          name: AWS_S3_eu-west-3
`
  t.same(subnetsOf(snippet), { labels, autoDetect: true })
  t.same(subnetsOf(JSON.stringify(labels)), { labels, autoDetect: true })
  t.same(subnetsOf(`customLabels: ${JSON.stringify(labels)}`), { labels, autoDetect: true })
  t.same(subnetsOf(snippet.replace('true', 'false')), { labels, autoDetect: false })
})

t.test('what is wrong is named, with its place', async t => {
  for (const [text, message] of [
    ['', 'there is neither a list of names with cidrs nor subnetLabels with customLabels'],
    ['a: 1', 'there is neither a list of names with cidrs nor subnetLabels with customLabels'],
    ['- cidrs: [10.0.0.0/8]', 'the file[0] has no name'],
    ['- name: a', 'the file[0] (a) has no list of cidrs'],
    ['- {name: a, cidrs: [10.0.0.0/33]}', 'the file[0] (a): 10.0.0.0/33 is no range of addresses'],
    ['- {name: a, cidrs: [fe80::%eth0/64]}', 'the file[0] (a): fe80::%eth0/64 is no range of addresses'],
    [
      'spec: {processor: {subnetLabels: {customLabels: 5}}}',
      'spec.processor.subnetLabels.customLabels is no list',
    ],
  ] as const)
    t.throws(() => subnetsOf(text), new RegExp(message.replace(/[[\](){}.]/g, '\\$&')), text)
})

t.test('a range of IPv6 has no address of IPv4, unless it is written as one of those', async t => {
  for (const match of ['first', 'longest'] as const) {
    const { nameOf } = bound(
      new Subnets(
        [
          { name: 'IPv6', cidrs: ['::/0', '::/64', '::ffff:0:0/95'] },
          { name: 'mapped', cidrs: ['::ffff:10.0.0.0/104'] },
          { name: 'IPv4', cidrs: ['0.0.0.0/0'] },
        ],
        match,
      ),
    )
    t.equal(nameOf('192.0.2.1'), 'IPv4')
    t.equal(nameOf('10.0.0.1'), 'mapped')
    t.equal(nameOf('2001:db8::1'), 'IPv6')
    t.equal(nameOf('::1'), 'IPv6')
  }
})

t.test(
  '9,000 ranges: an address asks once per length, and finds what a search through the list finds',
  async t => {
    let seed = 1
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return (seed >> 8) % below
    }
    const ipv4 = () => `${10 + random(4)}.${random(4)}.${random(256)}.${random(256)}`
    const ranges = Array.from({ length: 9000 }, (_, at) => ({
      name: `n${at}`,
      ip: ipv4(),
      bits: 12 + random(21),
    }))
    const numberOf = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    const isIn = (ip: string, range: (typeof ranges)[number]) => {
      const size = 2 ** (32 - range.bits)
      return Math.floor(numberOf(ip) / size) === Math.floor(numberOf(range.ip) / size)
    }
    const labels = ranges.map(({ name, ip, bits }) => ({ name, cidrs: [`${ip}/${bits}`] }))
    const [first, longest] = [new Subnets(labels), new Subnets(labels, 'longest')]
    const asked = Array.from({ length: 500 }, ipv4)
    for (const ip of asked) {
      const all = ranges.filter(range => isIn(ip, range))
      const most = Math.max(...all.map(({ bits }) => bits))
      t.equal(first.nameOf(ip), all[0]?.name ?? '', ip)
      t.equal(longest.nameOf(ip), all.find(({ bits }) => bits === most)?.name ?? '', ip)
    }
    const get = Map.prototype.get
    let gets = 0
    Map.prototype.get = function (key) {
      gets++
      return get.call(this, key)
    }
    const other = new Subnets(labels)
    for (let at = 0; at < 10_000; at++) other.nameOf(ipv4())
    Map.prototype.get = get
    t.ok(gets < 10_000 * 30 + 9000, `${gets} look-ups`)
  },
)
