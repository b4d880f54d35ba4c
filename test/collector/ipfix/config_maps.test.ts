/** Whole ConfigMaps as users of Antrea have them, pasted under `collector:`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkCollector } from '../../../collector/check.ts'
import { AGENT_KEYS, AGGREGATOR_KEYS } from '../../../collector/ipfix/settings/antrea_keys.ts'
import { aggregatorTarget, exporterTarget } from '../../../collector/ipfix/targets.ts'
import { collectorSettings } from '../../../collector/options.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())

const MAPS = join(import.meta.dirname, 'config_maps')
const of = (name: string) => readFileSync(join(MAPS, name), 'utf8')
const [AGGREGATOR, AGENT] = [of('flow_aggregator.yaml'), of('antrea_agent.yaml')]

/** What the collector finds in a file; warnings without the place. */
async function inspect(text: string) {
  const config = join(await scratch(cleanup, 'ipfix'), 'collector.yaml')
  writeFileSync(config, text)
  const read = inspectSettings(collectorSettings, 'collector', { config }, {}, { check: checkCollector })
  const short = (text: string) => text.replace(config, 'F').replace(/^F:\d+:\d+: collector\./, '')
  return { ...read, problems: read.problems.map(short), warnings: read.warnings.map(short) }
}

/** @param changed lines by how they begin */
const edited = (text: string, changed: Readonly<Record<string, string>>): string =>
  Object.entries(changed).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`no ${from}`)
    return text.replace(from, to)
  }, text)

t.test("the aggregator's starts as it is: it sends nothing, and says what is not there", async t => {
  const { values, problems, warnings } = await inspect(AGGREGATOR)
  t.same(problems, [])
  t.equal(aggregatorTarget(values), undefined)
  t.same(
    warnings.map(text => /^[\w.]+/.exec(text)![0]),
    [
      'inactiveFlowRecordTimeout',
      'apiServer',
      'recordBufferSize',
      'flowStreamService',
      'aggregator_transport_protocol',
    ],
  )
})

t.test('switched on, it sends as it says', async t => {
  const on = edited(AGGREGATOR, {
    'enable: false\n    address: ""': 'enable: true\n    address: "192.0.2.7:4739:tcp"',
    'includeK8sUIDs: false': 'includeK8sUIDs: true',
    'clusterID: ""': 'clusterID: "c-1"\n  flow_aggregator_template: aggregate',
  })
  const { values, problems, warnings } = await inspect(on)
  t.same(problems, [])
  t.match(values, { ipfixUids: true, ipfixClusterId: 'c-1', flowExportInterval: 60, ipfixPodLabels: false })
  t.match(aggregatorTarget(values), { host: '192.0.2.7', port: 4739, transport: 'tcp' })
  t.equal(warnings.length, 5, 'those of what it never did')
  const seed = await inspect(on.replace('  flow_aggregator_template: aggregate\n', ''))
  t.match(seed.warnings.slice(-2), [
    /^clusterID: has no effect without --flow-aggregator-template aggregate$/,
    /^flowCollector.includeK8sUIDs: has no effect/,
  ])
})

t.test('the part of the external collector: every key', async t => {
  const part = (lines: string) =>
    inspect(`collector:
  mode: Proxy
  recordContents:
    podLabels: true
  flowCollector:
    enable: true
    address: "collector.example:4739:tcp"
${lines}`)
  const { values, problems, warnings } = await part(`
    observationDomainID: 4294967295
    recordFormat: "JSON"
    templateRefreshTimeout: "1m"
    maxIPFIXMsgSize: 1400
    tls:
      enable: true
      caSecretName: "ca"
      serverName: "other.example"
      clientSecretName: "client"
      minVersion: "VersionTLS13"
    includeK8sNames: false
    includeK8sUIDs: true
`)
  t.same(problems, [])
  t.match(values, {
    ...{ ipfixDomain: 4_294_967_295, ipfixFormat: 'json', ipfixTemplateRefresh: 60, ipfixMessageSize: 1400 },
    ...{ externalFlowCollectorName: 'other.example', ipfixNames: false, ipfixUids: true },
    ...{ flowAggregatorMode: 'proxy', ipfixPodLabels: true, ipfixTlsVersion: '1.3' },
  })
  t.match(aggregatorTarget(values), { host: 'collector.example', transport: 'tls' })
  t.match(warnings, [
    /^flowCollector.tls.caSecretName: Secrets are not read: mount it as a volume, and give --ipfix-ca$/,
    /^flowCollector.tls.clientSecretName: .*--ipfix-certificate and --ipfix-key$/,
  ])
  t.match((await part('    adress: "a"\n')).problems, [
    /flowCollector has no key adress: did you mean address\?$/,
  ])
  t.match((await part('    maxIPFIXMsgSize: 100\n')).problems, [
    /maxIPFIXMsgSize: needs 0 or a size from 512 to 65535/,
  ])
  t.match((await inspect('collector:\n  mode: Both\n')).problems, [/mode: needs one of aggregate, proxy/])
  t.match(
    (await inspect('collector:\n  flowCollector:\n    address: a:1:udp\n    tls:\n      enable: true\n'))
      .problems,
    [/flowCollector.tls.enable: .*flowCollector.address says udp, which has no TLS here/],
  )
})

t.test("the agent's starts as it is, and exports", async t => {
  const { values, problems, warnings } = await inspect(AGENT)
  t.same(problems, [])
  const to = { host: 'flow-aggregator.flow-aggregator.svc', port: 4739, transport: 'tls' }
  t.match(exporterTarget(values), to)
  t.match(values, { activeFlowExportTimeout: 5, flowProtocolFilter: ['tcp', 'udp'] })
  t.match(warnings, [
    /^ovsBridge, hostGateway, .*secondaryNetwork: of antrea-agent, and not about flows: changes nothing here$/,
    /^enablePrometheusMetrics: give --prometheus/,
    /^flowExporter.flowPollInterval: nothing is polled/,
    /^featureGates: Multicast, Egress are gates of another program and change nothing here$/,
  ])
  t.equal(warnings.length, 4)
})

t.test('off is off, and grpc is refused only where it is on', async t => {
  const off = { 'flowExporter:\n    enable: true': 'flowExporter:\n    enable: false' }
  const grpc = { ':4739:tls': ':14739:grpc' }
  const { values, problems, warnings } = await inspect(edited(AGENT, { ...off, ...grpc }))
  t.same([exporterTarget(values), problems], [undefined, []])
  t.notOk(warnings.some(text => text.startsWith('flowExporter')))
  t.match((await inspect(edited(AGENT, grpc))).problems, [
    /^flowExporter.flowCollectorAddr: grpc is not spoken here: give .*4739 and tls$/,
  ])
})

t.test('both in one file, and the same twice', async t => {
  const both = await inspect(AGENT + AGGREGATOR.replace('collector:\n', ''))
  t.same(both.problems, [])
  const twice = 'collector:\n  externalFlowCollectorAddr: a\n  flowCollector:\n    address: b\n'
  t.match((await inspect(twice)).problems, [/external_flow_collector_addr is there twice/])
})

t.test('each key that changes nothing is answered, with what to use instead', async t => {
  for (const [key, text] of Object.entries({ ...AGGREGATOR_KEYS, ...AGENT_KEYS })) {
    const [last, ...above] = key.split('.').reverse()
    const yaml = above.reduce((inner, name) => `{ ${name}: ${inner} }`, `{ ${last}: 1 }`)
    const { problems, warnings } = await inspect(`collector: ${yaml}\n`)
    t.same(problems, [], key)
    t.ok(
      warnings.some(is => is.endsWith(`${key}: ${text}`)),
      `${key}: ${warnings}`,
    )
    for (const [flag] of text.matchAll(/--[\w-]+/g)) {
      const name = flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
      t.ok(name in collectorSettings || name === 'follow', flag)
    }
  }
})
