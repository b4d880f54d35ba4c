import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { lint, type Prometheus, type Series, startPrometheus } from '../harness/prometheus.ts'
import { needs } from '../harness/skip.ts'
import { openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow } from '../harness/windows.ts'
import { client, connected, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd', 'prometheus')
/** What each of three connections sends in one window after the other, and gets back. */
const BYTES = [100, 20_000, 300]
const EXCHANGES = 2
const SENT_BYTES = BYTES.reduce((sum, bytes) => sum + bytes, 0) * EXCHANGES * 3 * 2
const GROUPS = 'flows,rtt,rtt_dist,traffic,tcp,connect,process,host,stats'
/** The collector tells of itself every ten seconds. */
const OWN_TIMEOUT_MS = 25_000

/** Where a series of Prometheus is in the store, by what its unit is there of a base unit. */
const SAME = [
  { name: 'flows', role: 'client', measurement: 'num_flows', field: 'as_client', perBase: 1 },
  { name: 'flows', role: 'server', measurement: 'num_flows', field: 'as_server', perBase: 1 },
  { name: 'rtt_seconds', role: 'client', measurement: 'rtt', field: 'as_client', perBase: 1000 },
  { name: 'rtt_seconds', role: 'server', measurement: 'rtt', field: 'as_server', perBase: 1000 },
  { name: 'rtt_dist_p95_seconds', role: 'client', measurement: 'rtt_dist', field: 'p95', perBase: 1000 },
  { name: 'rtt_dist_samples', role: 'client', measurement: 'rtt_dist', field: 'samples', perBase: 1 },
  { name: 'sent_bytes_total', measurement: 'traffic', field: 'bytes_sent', perBase: 1 },
  { name: 'received_packets_total', measurement: 'traffic', field: 'packets_rcvd', perBase: 1 },
  { name: 'tcp_opened_total', role: 'server', measurement: 'tcp', field: 'opened', perBase: 1 },
  { name: 'connect_mean_seconds', measurement: 'connect', field: 'mean', perBase: 1000 },
] as const

/** Equal numbers that follow each other are one. */
const steps = (values: readonly number[]): number[] => values.filter((value, at) => value !== values[at - 1])

/** Prometheus saw what the store holds: no other values, in the same order, and of a counter the last one. */
async function checkSame(t: Test, prometheus: Prometheus, site: Site, container: string) {
  for (const { measurement, field, perBase, name, ...more } of SAME) {
    const role = 'role' in more ? more.role : ''
    const selector = `sockflux_container_${name}{container="${container}"${role && `,role="${role}"`}}`
    const [series] = await prometheus.samples(selector)
    const isByRole = measurement === 'rtt_dist' || measurement === 'tcp'
    const rows = await site.query(
      `select ${field} as value from "container:${measurement}" where container = '${container}'
        and ${field} is not null ${isByRole ? `and role = '${role}'` : ''} order by time`,
    )
    const stored = rows.map(({ value }) => Number(value) / perBase)
    const seen = steps(series!.values.map(([, value]) => value))
    let at = 0
    const isInOrder = seen.every(value => {
      at = stored.indexOf(value, at)
      return at >= 0
    })
    const isLast = !name.endsWith('_total') || seen.at(-1) === stored.at(-1)
    t.ok(isInOrder && isLast, `${selector} is ${measurement}.${field}`, {
      seen,
      stored,
    })
  }
}

t.test(
  'a real Prometheus sees what the store holds, and series end with their container',
  { skip },
  async t => {
    const node = await startNode()
    t.teardown(() => node.close())
    const pod = await node.runPod({
      name: 'shop-0',
      namespace: 'trade',
      containers: [
        { name: 'main', command: IDLE },
        { name: 'brief', command: IDLE },
      ],
    })
    const { main, brief } = pod.containers
    const site = await openSite()
    t.teardown(() => site.close())
    const collector = await site.collector(['--metrics', GROUPS, '--prometheus', '127.0.0.1:0'])
    const url = /"http":"([^"]+)"/.exec(collector.stderr)![1]!
    const probe = await site.probe(['--containerd-state', node.containerd.stateDir, '--host', 'node-1'])
    const prometheus = await startPrometheus(url)
    t.teardown(() => prometheus.close())

    await serve(node, main, '127.0.0.1', '80')
    await serve(node, brief, '127.0.0.1', '81')
    const loads = [client(node, main), client(node, brief)] as const
    await loads[0].ask('open 3 127.0.0.1 80')
    await loads[1].ask('open 1 127.0.0.1 81')
    await connected(pod.netns, 8)
    for (const bytes of BYTES) {
      await earlyInWindow()
      await loads[0].ask(`echo ${EXCHANGES} ${bytes}`)
    }
    const opened = (container: string) =>
      prometheus.query(`sockflux_container_tcp_opened_total{container="${container}",role="server"}`)
    await until('the same bytes in Prometheus and in the store', async () => {
      const of = `container = '${shortId(main.id)}'`
      const [row] = await site.query(`select max(bytes_sent) as bytes from "container:traffic" where ${of}`)
      const [series] = await prometheus.query(
        `sockflux_container_sent_bytes_total{container="${shortId(main.id)}"}`,
      )
      return Number(row!['bytes']) === SENT_BYTES && series?.values[0]?.[1] === SENT_BYTES
    })
    await checkSame(t, prometheus, site, shortId(main.id))

    const [flows] = await prometheus.query(
      `sockflux_container_flows{container="${shortId(main.id)}",role="client"}`,
    )
    t.match(flows!.labels, {
      ...{ ifid: '0', host: 'node-1', namespace: 'trade', pod: 'shop-0', container_name: 'main' },
    })
    t.equal(flows!.values[0]![1], 3)
    await checkHistogram(t, prometheus, site, shortId(main.id))

    t.equal((await opened(shortId(brief.id))).length, 1, 'a container that is to end has its series')
    await node.stopContainer(brief)
    await until('the end of its series', async () => (await opened(shortId(brief.id))).length === 0)
    t.equal((await opened(shortId(main.id))).length, 1, 'those of its neighbour go on')

    const text = await until(
      'what the collector tells of itself',
      async () => {
        const text = await (await fetch(`${url}/metrics`)).text()
        return text.includes('sockflux_collector_messages_total') && text
      },
      OWN_TIMEOUT_MS,
    )
    for (const group of ['container', 'pod', 'host', 'process', 'iface', 'probe', 'collector'])
      t.match(text, new RegExp(`^sockflux_${group}_\\w+\\{`, 'm'), group)
    t.equal(await lint(text), '', 'promtool check metrics has nothing to say')
    for (const path of ['healthz', 'readyz']) t.equal((await fetch(`${url}/${path}`)).status, 200, path)

    await probe.close()
    await until('the end of the host', async () => (await prometheus.query(`{host="node-1"}`)).length === 0)
    t.equal((await prometheus.query('sockflux_build_info')).length, 1, 'the collector itself goes on')
  },
)

/** All samples since the start are in it. */
async function checkHistogram(t: Test, prometheus: Prometheus, site: Site, container: string) {
  const of = async (name: string) => {
    const found = await prometheus.query(`${name}{container="${container}",role="client"}`)
    return found.map(({ labels, values }: Series) => ({ le: Number(labels['le']), value: values[0]![1] }))
  }
  const name = 'sockflux_container_rtt_dist_seconds'
  const [count] = await of(`${name}_count`)
  const [total] = await site.query(
    `select sum(samples)::INT as samples, sum(samples * mean) as ms from "container:rtt_dist"
      where container = '${container}' and role = 'client'`,
  )
  t.equal(count!.value, Number(total!['samples']), 'every RTT sample is in the histogram')
  const [sum] = await of(`${name}_sum`)
  t.ok(Math.abs(sum!.value - Number(total!['ms']) / 1000) < 1e-9, 'and their sum', { sum, total })
  const buckets = (await of(`${name}_bucket`)).filter(({ le }) => Number.isFinite(le))
  t.same(
    buckets.map(({ le }) => Math.log2(Math.round(le * 1e6))).sort((a, b) => a - b),
    Array.from({ length: 23 }, (_, step) => 4 + step),
    'in steps from 16 us to 67 s',
  )
}
