/** The alerts as Prometheus' rules, by promtool; and that Grafana's are the same ones. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { alertsFor } from '../../grafana/alerting/alerts.ts'
import { grafanaRules } from '../../grafana/alerting/grafana.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { run } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { read, rulesOf } from './files.ts'

const skip = needs('prometheus')
const alerts = alertsFor()

/** Labels of a container, of a series and of the alert. */
const WHO = { host: 'n', namespace: 'trade', pod: 'shop-0', container_name: 'main', container: 'c1' }
const ALONE = { host: 'n', container_name: 'web', container: 'c2' }
const labels = (of: Record<string, string>) =>
  `{${Object.entries(of)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`
const container = (name: string, values: string, more = {}) => ({
  series: `sockflux_container_${name}${labels({ ...WHO, ...more })}`,
  values,
})
const lost = (who: string, stage: string, reason: string, values: string) => ({
  series: `sockflux_${who}_lost_total${labels({ host: 'n', stage, reason })}`,
  values,
})
const HOST = { host: 'n' }
const memory = (values: string) => ({ series: `sockflux_probe_memory_bytes${labels(HOST)}`, values })

/** A part in brackets is there when all of its labels are. */
const said = (summary: string, labels: Record<string, string>): string =>
  summary
    .replace(/\[([^\]]*)\]/g, (_, text: string) =>
      Array.from(text.matchAll(/\{\{(\w+)\}\}/g), ([, tag]) => labels[tag!]).every(Boolean) ? text : '',
    )
    .replace(/\{\{(\w+)\}\}/g, (_, tag: string) => labels[tag] ?? '')

interface Case {
  readonly input: readonly { readonly series: string; readonly values: string }[]
  /** When it is looked at; default: 12m. */
  readonly at?: string
  /** Labels of what fires then; undefined when nothing does. */
  readonly fires?: Record<string, string>
}

/** A sample each minute; for each alert something that fires and something near it that does not. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  SockfluxRttHigh: [
    { input: [container('rtt_dist_p95_seconds', '0.3x15')], fires: WHO },
    // a container without pod has no slash in its summary
    {
      input: [{ series: `sockflux_container_rtt_dist_p95_seconds${labels(ALONE)}`, values: '0.3x15' }],
      fires: ALONE,
    },
    { input: [container('rtt_dist_p95_seconds', '0.19x15')] },
    // for some minutes only
    { input: [container('rtt_dist_p95_seconds', '0.01x9 0.9x1 0.01x5')] },
  ],
  SockfluxRetransmits: [
    {
      input: [container('tcp_retransmits_total', '0+60x15'), container('sent_packets_total', '0+600x15')],
      fires: WHO,
    },
    { input: [container('tcp_retransmits_total', '0+6x15'), container('sent_packets_total', '0+600x15')] },
    // one of two packets, but hardly any packets
    { input: [container('tcp_retransmits_total', '0+5x15'), container('sent_packets_total', '0+10x15')] },
  ],
  SockfluxConnectsFail: [
    { input: [container('tcp_failed_total', '0x8 4+4x7', { role: 'client' })], fires: WHO },
    { input: [container('tcp_failed_total', '0+1x15', { role: 'client' })] },
    // an accept queue that is full is the client's trouble
    { input: [container('tcp_failed_total', '0+40x15', { role: 'server' })] },
  ],
  SockfluxProbeLost: [
    // the series begins with its first rise
    {
      input: [lost('probe', 'queue', 'full', '_x8 700x7')],
      fires: { ...HOST, stage: 'queue', reason: 'full' },
    },
    {
      input: [lost('probe', 'kernel', 'slot', '5x9 6x6')],
      fires: { ...HOST, stage: 'kernel', reason: 'slot' },
    },
    { input: [lost('probe', 'queue', 'full', '700x15')] },
    {
      input: [
        lost('probe', 'window', 'skipped', '_x8 2x7'),
        lost('probe', 'kernel', 'close_missed', '0+9x15'),
      ],
    },
  ],
  SockfluxCollectorLost: [
    {
      input: [lost('collector', 'ingest', 'gap', '_x8 1x7')],
      fires: { ...HOST, stage: 'ingest', reason: 'gap' },
    },
    { input: [lost('collector', 'ingest', 'gap', '1x15')] },
    { input: [lost('collector', 'series', 'beyond_max_series', '_x8 1+1x7')] },
  ],
  SockfluxProbeSilent: [
    { input: [memory('9x4 stale')], fires: HOST },
    // as long as it is away, within a day
    { input: [memory('9x4 stale')], fires: HOST, at: '23h' },
    { input: [memory('9x4 stale')], at: '25h' },
    { input: [memory('9x15')] },
    // a new probe was never there
    { input: [memory('_x11 9x4')] },
  ],
  SockfluxSeriesCeiling: [
    {
      input: [lost('collector', 'series', 'beyond_max_series', '_x8 1+1x7')],
      fires: { ...HOST, stage: 'series', reason: 'beyond_max_series' },
    },
    { input: [lost('collector', 'series', 'beyond_max_series', '8x15')] },
    { input: [lost('collector', 'series', 'shared_hosts', '0+1x15')] },
  ],
}

t.test('each alert fires when it must, and not near it', { skip }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'alerts')
  const rules = join(directory, 'rules.yaml')
  await writeFile(rules, read('rules/sockflux.yaml'))
  t.match(await run(['promtool', 'check', 'rules', rules]), `${alerts.length} rules found`)
  t.same(
    Object.keys(CASES),
    alerts.map(({ name }) => name),
    'each has its cases',
  )
  for (const { name } of alerts) {
    const cases = CASES[name]!
    t.ok(cases.some(({ fires }) => fires) && cases.some(({ fires }) => !fires), `${name}: of both kinds`)
    for (const [at, each] of cases.entries()) {
      const file = join(directory, `${name}${at}.yaml`)
      await writeFile(file, testOf(rules, name, each))
      await t.resolves(run(['promtool', 'test', 'rules', file]), `${name}, case ${at + 1}`)
    }
  }
})

function testOf(rules: string, alertname: string, { input, fires, at = '12m' }: Case): string {
  const alert = alerts.find(({ name }) => name === alertname)!
  const system = { severity: alert.severity, system: 'sockflux' }
  const summary = said(alert.summary, fires ?? {})
  const told = fires && {
    exp_labels: { ...fires, ...system },
    exp_annotations: { summary, description: alert.remedy },
  }
  return stringify({
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: input,
        alert_rule_test: [{ eval_time: at, alertname, exp_alerts: told ? [told] : [] }],
      },
    ],
  })
}

t.test("Grafana's rules are those of the table, for either database", async t => {
  for (const database of ['influxdb1', 'influxdb2', 'influxdb3', 'prometheus']) {
    const rules = rulesOf(database)
    t.same(
      rules.map(({ title }) => title),
      alerts.map(({ title }) => title),
      database,
    )
    const uids = rules.map(({ uid }) => uid)
    t.equal(new Set(uids).size, uids.length)
    for (const { uid, condition, data } of rules) {
      t.match(uid, /^[a-z-]{1,40}$/)
      const letters = data.map(({ refId }) => refId)
      t.equal(letters.at(-1), condition, `${uid}: its condition is its last step`)
      for (const [at, { refId, model, datasourceUid }] of data.entries()) {
        t.equal(model.refId, refId)
        const source = database === 'prometheus' ? 'sockflux-prometheus' : 'sockflux-influxdb'
        if (datasourceUid !== '__expr__') t.equal(datasourceUid, source, uid)
        // a step reads steps before it
        const reads = (model.expression ?? '').match(/(?<=^|\$)[A-Z]\b/g) ?? []
        for (const letter of reads) t.ok(letters.indexOf(letter) < at, `${uid}: ${refId} reads ${letter}`)
      }
    }
  }
})

t.test('for other limits, windows and policies the same rules ask otherwise', async t => {
  const rulesFor = (options: Parameters<typeof grafanaRules>[1]) =>
    JSON.stringify(grafanaRules('influxql', options))
  const other = rulesFor({ limits: { SockfluxRttHigh: 300 }, interval: 300, policy: 'a "raw" \\ one' })
  t.match(other, '"params":[300]')
  t.match(other, 'is above 300 ms.')
  t.match(other, 'failed in 15 minutes')
  t.match(other, JSON.stringify('FROM "a \\"raw\\" \\\\ one"."probe:stats"').slice(1, -1))
  t.match(other, 'GROUP BY time(10m), \\"host\\" fill(0)')
  t.notMatch(rulesFor({}), /FROM \\"[^"]+\\"\.\\"/)
})
