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
