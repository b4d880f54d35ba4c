import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkCollector } from '../../../collector/check.ts'
import { parseAddress } from '../../../collector/ipfix/send/address.ts'
import { aggregatorTarget, exporterTarget } from '../../../collector/ipfix/targets.ts'
import { collectorSettings } from '../../../collector/options.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import { Authority } from '../../harness/certificates.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { only } from '../../harness/only.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'

type Flags = Readonly<Record<string, unknown>>
const inspect = (flags: Flags) =>
  inspectSettings(collectorSettings, 'collector', flags, {}, { check: checkCollector, root: '/nonexistent' })
const exporter = (flags: Flags) => exporterTarget(inspect(flags).values)
const cleanup = new Cleanup()
t.teardown(() => cleanup.close())

t.test('addresses', async t => {
  const [host, tcp] = [{ host: 'a.example' }, { transport: 'tcp' }]
  for (const [text, parsed] of [
    ['a.example', { ...host, port: 4739, transport: undefined }],
    ['a.example:9', { ...host, port: 9, transport: undefined }],
    ['a.example:9:TCP', { ...host, port: 9, ...tcp }],
    ['a.example::udp', { ...host, port: 4739, transport: 'udp' }],
    ['a.example:udp', { ...host, port: 4739, transport: 'udp' }],
    ['192.0.2.7:4739:tls', { host: '192.0.2.7', port: 4739, transport: 'tls' }],
    ['[2001:db8::7]:4740:tcp', { host: '2001:db8::7', port: 4740, ...tcp }],
    ['flow-aggregator/flows:9:tls', { host: 'flows.flow-aggregator.svc', port: 9, transport: 'tls' }],
    ['a.example:9:grpc', { ...host, port: 9, transport: 'grpc' }],
    ['[2001:db8::7]', { host: '2001:db8::7', port: 4739 }],
  ] as const)
    t.match(parseAddress(text), parsed, text)
  for (const [text, says] of [
    ['', /host is missing/],
    ['a:70000', /70000 is not a port/],
    ['a:0:tcp', /0 is not a port/],
    ['a:1:sctp', /sctp is no transport: it is one of tcp, udp, tls/],
    ['a:1:tcp:2', /needs an address such as/],
    ['2001:db8::7:4739', /an IPv6 address is in brackets/],
    ['[1.2.3.4]:1', /is not an IPv6 address/],
    ['::1', /an IPv6 address is in brackets: write \[::1\]/],
    ['fe80::1', /an IPv6 address is in brackets/],
    ['tcp://a:4739', /tcp:\/\/ does not belong here: write a:4739:tcp$/],
    ['UDP://[::1]:5', /write \[::1\]:5:udp$/],
    ['https://a.example/path', /write a.example:tcp$/],
    ['tcp://', /write host:tcp$/],
    ['a/b/c:1', /a host has no \//],
    ['a b:1', /a host has no/],
  ] as const)
    t.match(parseAddress(text), says, text)
})

t.test('where an exporter sends, and whether', async t => {
  t.equal(exporter({}), undefined)
  const usual = { host: 'flow-aggregator.flow-aggregator.svc', port: 4739 }
  t.match(exporter({ featureGates: 'FlowExporter=true' }), { ...usual, transport: 'tls' })
  t.equal(exporter({ featureGates: 'FlowExporter=false', flowCollectorAddr: 'a' }), undefined)
  const transport = (flags: Flags) => exporter(flags)?.transport
  t.equal(transport({ flowCollectorAddr: 'a:1:tcp' }), 'tls', 'TLS is on by default')
  t.equal(transport({ flowCollectorAddr: 'a:1:tcp', enableTlsToFlowAggregator: false }), 'tcp')
  t.equal(transport({ flowCollectorAddr: 'a:1:udp' }), 'udp')
  const aggregator = (externalFlowCollectorAddr: string) =>
    aggregatorTarget(inspect({ externalFlowCollectorAddr }).values)?.transport
  t.same(['a', 'a:1:udp', 'a:1:tls'].map(aggregator), ['tcp', 'udp', 'tls'])
})

t.test('what has no effect is said in a sentence', async t => {
  for (const [flags, says] of [
    [{ flowPollInterval: '5s' }, /^--flow-poll-interval: nothing is polled: .*window of its probe/],
    [
      { aggregatorTransportProtocol: 'tls' },
      /^--aggregator-transport-protocol: IPFIX of other exporters is not taken.*run sockflux probe/,
    ],
    [{ featureGates: 'AntreaProxy=true' }, /AntreaProxy is a gate of another program/],
    [
      { activeFlowExportTimeout: '5s' },
      /^--active-flow-export-timeout: has no effect without --flow-collector-addr$/,
    ],
    [{ externalFlowCollectorEnable: true }, /has no effect without --external-flow-collector-addr$/],
    [{ flowExportInterval: '5s' }, /^--flow-export-interval: has no effect without --external-flow-coll/],
    [
      { flowExporterTemplate: 'antrea' },
      /^--flow-exporter-template: has no effect without --flow-collector-addr$/,
    ],
    [
      { ipfixQueueSize: '1M' },
      /^--ipfix-queue-size: has no effect without --flow-collector-addr or --external/,
    ],
    [
      { flowCollectorAddr: 'a', flowProtocolFilter: 'tcp,sctp' },
      /^--flow-protocol-filter: sctp is not watched$/,
    ],
    [
      { flowCollectorAddr: 'a', flowProtocolFilter: 'SCTP' },
      /sctp is not watched, and no record is sent: name tcp or/,
    ],
    [
      { externalFlowCollectorAddr: 'a', flowAggregatorMode: 'Proxy', flowExportInterval: '5s' },
      /^--flow-export-interval: has no effect without --flow-aggregator-mode aggregate$/,
    ],
    [{ ipfixClusterId: 'c' }, /^--ipfix-cluster-id: has no effect without --external-flow-collector-addr$/],
    [
      { externalFlowCollectorAddr: 'a', ipfixUids: true },
      /^--ipfix-uids: has no effect without --flow-aggregator-template aggregate$/,
    ],
    [
      { externalFlowCollectorAddr: 'a', ipfixClusterId: 'c' },
      /^--ipfix-cluster-id: has no effect without --flow-aggregator-template aggregate$/,
    ],
    [{ flowCollectorAddr: 'a:1:udp', flowAggregatorAddress: 'a' }, /has no effect without TLS/],
    [{ flowCollectorAddr: 'a:1:udp', enableTlsToFlowAggregator: true }, /what is sent is plain text$/],
    ...['a:4739:udp', 'a:udp', 'a:tcp'].map(
      externalFlowCollectorAddr =>
        [
          { flowCollectorAddr: 'a:4739:udp', externalFlowCollectorAddr },
          /^--external-flow-collector-addr: is where the exporter sends as well: .*give another address$/,
        ] as const,
    ),
  ] as const) {
    const { problems, warnings } = inspect(flags)
    t.same(problems, [], JSON.stringify(flags))
    only(t, warnings, [says])
  }
  for (const usual of [
    { aggregatorTransportProtocol: 'none' },
    { externalFlowCollectorAddr: 'a', ipfixUids: false, ipfixNames: true },
    {
      ...{ externalFlowCollectorAddr: 'a', flowAggregatorMode: 'Proxy', ipfixUids: true },
      ...{ ipfixClusterId: 'c', activeFlowExportTimeout: '5s' },
    },
  ])
    t.same(inspect(usual).warnings, [])
})

t.test('what cannot be is refused, with the remedy', async t => {
  for (const [flags, says] of [
    [{ flowCollectorAddr: 'a:1:sctp' }, /^--flow-collector-addr: a:1:sctp: sctp is no transport/],
    [{ externalFlowCollectorAddr: '::1:4739' }, /in brackets/],
    [
      { flowExportInterval: '500ms' },
      /^--flow-export-interval: needs a duration of at least 1s, such as 60s or 1m30s/,
    ],
    [{ activeFlowExportTimeout: '60' }, /needs a duration/],
    [{ activeFlowExportTimeout: '1h 5m' }, /needs a duration/],
    ...['flowexporter=true', 'Flowexporter=true', 'AntreaProxy=true,FLOWEXPORTER=false'].map(
      featureGates => [{ featureGates }, /^--feature-gates: \w+ is written FlowExporter$/] as const,
    ),
    [{ featureGates: 'FlowExporter' }, /needs gates such as FlowExporter=true/],
    [{ featureGates: 'FlowExporter=yes' }, /needs gates/],
    [{ featureGates: 'FlowExporter=constructor' }, /needs gates/],
    [{ featureGates: 'FlowExporter=true,AntreaProxy=toString' }, /needs gates/],
    [{ flowCollectorAddr: 'a:1:tls', enableTlsToFlowAggregator: false }, /says tls: write tcp there/],
    [
      { flowCollectorAddr: 'a', enableTlsToFlowAggregator: true, aggregatorTransportProtocol: 'tcp' },
      /TLS is on both sides or on neither/,
    ],
    [{ flowCollectorAddr: 'a:1:grpc' }, /^--flow-collector-addr: grpc is not spoken here: give the port/],
    [{ externalFlowCollectorAddr: 'a:1:udp', externalFlowCollectorTls: true }, /says udp, which has no TLS/],
    [{ flowProtocolFilter: ['icmp'] }, /needs one of tcp, udp, sctp/],
    [{ ipfixCa: '/nonexistent' }, /^--ipfix-ca: cannot read/],
    [{ ipfixKey: '/nonexistent' }, /a certificate and its key belong together/],
    [{ ipfixMessageSize: '100' }, /needs 0 or a size from 512/],
    [{ ipfixDomain: '4294967296' }, /needs a whole number/],
    [{ ipfixClusterId: 'c'.repeat(254) }, /^--ipfix-cluster-id: needs an id of at most 253 characters/],
    [{ flowAggregatorMode: 'both' }, /needs one of aggregate, proxy, not "both"/],
    [{ ipfixClusterId: '' }, /needs a text that is not empty/],
    [{ ipfixClusterId: 'a\u0000b' }, /^--ipfix-cluster-id: the text /],
  ] as const)
    only(t, inspect(flags).problems, [says], JSON.stringify(flags))
  const seconds = (flowExportInterval: string) => inspect({ flowExportInterval }).values.flowExportInterval
  t.same(['60s', '1m30s', '1.5m', '1h', '2500ms'].map(seconds), [60, 90, 90, 3600, 2.5])
})

t.test('a certificate and a key that do not belong together', { skip: needs('openssl') }, async t => {
  const authority = new Authority(await scratch(cleanup, 'ipfix'))
  const [a, b] = [authority.sign('a'), authority.sign('b')]
  const of = (ipfixCertificate: string, ipfixKey: string) =>
    inspect({ externalFlowCollectorAddr: 'a::tls', ipfixCertificate, ipfixKey }).problems
  t.same(of(a.certificate, a.key), [])
  only(t, of(a.certificate, b.key), [/^--ipfix-key: .* is not the key of /])
})

t.test('the keys of a file as other programs write them', async t => {
  const file = join(await scratch(cleanup, 'ipfix'), 'collector.yaml')
  writeFileSync(
    file,
    `collector:
  featureGates:
    FlowExporter: true
  flowCollectorAddr: "flow-aggregator.flow-aggregator.svc:4739:tcp"
  activeFlowExportTimeout: "60s"
  idleFlowExportTimeout: "15s"
  enableTLSToFlowAggregator: false
  externalFlowCollectorAddr: "192.0.2.7:4739:UDP"
  flowExportInterval: 90s
`,
  )
  const { values, problems, warnings } = inspect({ config: file })
  t.same([problems, warnings], [[], []])
  t.match(values, {
    enableTlsToFlowAggregator: false,
    flowExportInterval: 90,
    featureGates: { FlowExporter: true },
  })
  t.match(exporterTarget(values), { transport: 'tcp' })
  t.match(aggregatorTarget(values), { host: '192.0.2.7', transport: 'udp' })
  writeFileSync(file, 'collector:\n  flow_export_interval: 1m\n  flowExportInterval: 2m\n')
  only(t, inspect({ config: file }).problems, [/:3:3: flow_export_interval is there twice: leave one out$/])
})
